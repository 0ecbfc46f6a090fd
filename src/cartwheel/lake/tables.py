"""Every fact table of the lake, its columns and their units, in one place.

Facts are inserted, never updated. A newer version of a fact is a new row with the
same key and a later `known_at`; `latest` (in `cartwheel.signals.facts`) picks the
version in force on a day. Four bookkeeping columns stand on every table:

    known_at       instant from which the shop knew this version (UTC)
    imported_at    instant at which the row entered the lake (UTC)
    batch          id of the import or drain that brought it
    content_hash   fingerprint of the row's content, for idempotent re-import

Money is an integer number of minor units (cents) of the shop's currency. Instants
are UTC. An unknown value is null, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "int", "float", "bool", "instant", "date"]

SQL_TYPES: dict[ColumnType, str] = {
    "text": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "instant": "TIMESTAMP",  # always UTC; DuckDB, Spark and pandas agree on naive UTC
    "date": "DATE",
}

SURVEY_MEDIA = ("nps", "survey")
"""Media of messages that answer a survey: a score, and what was said beside it."""

CONTACT = f"coalesce(lower(medium), '') NOT IN {SURVEY_MEDIA}"
"""SQL of messages that somebody has to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a fact table.

    Attributes:
        name: Column name; an affix gives the unit (`_minor`, `_days`, `_at`, ...).
        type: Logical type.
        doc: One sentence for people.
        required: A row without a value is rejected at import.
        minimum: Smallest accepted number, or None for no limit.
        choices: Accepted texts, or empty for any text.
    """

    name: str
    type: ColumnType
    doc: str
    required: bool = False
    minimum: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactTable:
    """One fact table.

    Attributes:
        name: Table name, also the file name in the `csv` folder layout.
        key: Columns that identify the thing; several rows of one key are versions.
        columns: All content columns.
        dated_by: Column whose instant says since when the fact was known, or None
            when the source carries no date: the first version then counts as known
            since always, a changed one since its import.
        immutable: A key never changes its content (events): a second row with the
            same key and other content is rejected instead of becoming a version.
        doc: One sentence for people.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    dated_by: str | None
    doc: str
    immutable: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """Content columns in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the named column; raise `KeyError` when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


BOOKKEEPING: tuple[Column, ...] = (
    Column(name="known_at", type="instant", doc="Known to the shop since (UTC)."),
    Column(name="imported_at", type="instant", doc="Entered the lake at (UTC)."),
    Column(name="batch", type="text", doc="Import or drain that brought the row."),
    Column(name="content_hash", type="text", doc="Fingerprint of the content."),
)

EVENT_KINDS = (
    "view",
    "list",
    "search",
    "add_to_cart",
    "checkout",
    "failed_add",
    "exposure",
    "click",
)
LINE_KINDS = ("product", "shipping", "fee", "discount", "gift_card", "adjustment")
CORRECTION_KINDS = (
    *("not_this", "move", "merge", "split", "teach", "dismiss"),
    "take_back",
)
POLICY_TOPICS = (
    "shipping",
    "returns",
    "payment",
    "guarantee",
    "privacy",
    "contact",
    "other",
)
ORDER_STATUSES = ("open", "paid", "fulfilled", "cancelled", "refunded")


def _text(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name=name, type="text", doc=doc, required=required)


def _choice(
    name: str, doc: str, choices: tuple[str, ...], *, required: bool = False
) -> Column:
    return Column(name=name, type="text", doc=doc, choices=choices, required=required)


def _int(
    name: str, doc: str, *, required: bool = False, minimum: int | None = None
) -> Column:
    return Column(name=name, type="int", doc=doc, required=required, minimum=minimum)


def _minor(name: str, doc: str, *, required: bool = False) -> Column:
    return _int(name, doc, required=required, minimum=0)


def _at(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name=name, type="instant", doc=doc, required=required)


TABLES: tuple[FactTable, ...] = (
    FactTable(
        name="customers",
        key=("customer_id",),
        dated_by="created_at",
        doc="A person or company that bought or signed up.",
        columns=(
            _text("customer_id", "The source's id.", required=True),
            _text("email", "E-mail address, lower case."),
            _text("phone", "Telephone number as given."),
            _text("name", "Name as given."),
            _text("country", "Country name or code as given."),
            _text("region", "State or province as given."),
            _at("created_at", "First known to the shop."),
        ),
    ),
    FactTable(
        name="products",
        key=("product_id",),
        dated_by="created_at",
        doc="What a shopper sees as one article; has one or more variants.",
        columns=(
            _text("product_id", "The source's id.", required=True),
            _text("title", "Name shown to shoppers."),
            _text("description", "Text shown to shoppers, without mark-up."),
            _text(
                "page_html",
                "The same text as the platform holds it, mark-up and all; null where "
                "it holds none.",
            ),
            _text("category", "Category path, levels joined by ' > '."),
            _text("brand", "Brand or vendor."),
            _text("tags", "Tags joined by ', '."),
            _text("url", "Address of its page, absolute or from the shop's root."),
            _text("image_url", "Address of its first picture."),
            _text(
                "attributes",
                "JSON object of attributes, each a text or a list of texts, such as "
                '{"Colour": ["blue", "red"], "Material": "linen"}.',
            ),
            _choice(
                "status", "Shown to shoppers or not.", ("active", "draft", "archived")
            ),
            _at("created_at", "First known to the shop."),
        ),
    ),
    FactTable(
        name="variants",
        key=("variant_id",),
        dated_by="created_at",
        doc="What is stocked, priced and sold: one size and colour of a product.",
        columns=(
            _text(
                "variant_id",
                "The source's id; equals product_id without variants.",
                required=True,
            ),
            _text("product_id", "Product it belongs to.", required=True),
            _text("sku", "Stock-keeping unit."),
            _text("title", "Option values, such as 'M / blue'."),
            _text("supplier_id", "Supplier it is bought from."),
            _int(
                "pack_units", "Units per pack; orders are multiples of it.", minimum=1
            ),
            _int(
                "minimum_order_units",
                "Smallest order to the supplier, in units.",
                minimum=1,
            ),
            _at("created_at", "First known to the shop."),
        ),
    ),
    FactTable(
        name="prices",
        key=("variant_id", "valid_from_at"),
        dated_by="valid_from_at",
        doc="List price of a variant from an instant on.",
        columns=(
            _text("variant_id", "Variant priced.", required=True),
            _at("valid_from_at", "In force since.", required=True),
            _minor(
                "price_minor",
                "Price a shopper pays, tax included as shown.",
                required=True,
            ),
            _minor("compare_at_minor", "Struck-through price, if shown."),
        ),
    ),
    FactTable(
        name="costs",
        key=("variant_id", "valid_from_at"),
        dated_by="valid_from_at",
        doc="Landed unit cost of a variant from an instant on.",
        columns=(
            _text("variant_id", "Variant costed.", required=True),
            _at("valid_from_at", "In force since.", required=True),
            _minor("cost_minor", "Cost of one unit.", required=True),
        ),
    ),
    FactTable(
        name="locations",
        key=("location_id",),
        dated_by=None,
        doc="A place that holds stock.",
        columns=(
            _text("location_id", "The source's id.", required=True),
            _text("name", "Name as given."),
            _text("country", "Country name or code as given."),
        ),
    ),
    FactTable(
        name="inventory_levels",
        key=("variant_id", "location_id", "counted_at"),
        dated_by="counted_at",
        doc="Units of a variant at a place at an instant.",
        columns=(
            _text("variant_id", "Variant counted.", required=True),
            _text("location_id", "Place.", required=True),
            _at("counted_at", "Counted at.", required=True),
            _int(
                "available_units",
                "Free to sell; negative when oversold.",
                required=True,
            ),
            _int("incoming_units", "Ordered from a supplier, not yet here.", minimum=0),
        ),
    ),
    FactTable(
        name="suppliers",
        key=("supplier_id",),
        dated_by=None,
        doc="A company the shop buys from.",
        columns=(
            _text("supplier_id", "The source's id.", required=True),
            _text("name", "Name as given."),
            _int("lead_time_days", "Promised days from order to receipt.", minimum=0),
            _minor("minimum_order_minor", "Smallest order value accepted."),
        ),
    ),
    FactTable(
        name="purchase_orders",
        key=("purchase_order_id", "variant_id"),
        dated_by="ordered_at",
        doc="One line of an order to a supplier.",
        columns=(
            _text("purchase_order_id", "The source's id.", required=True),
            _text("variant_id", "Variant ordered.", required=True),
            _text("supplier_id", "Supplier."),
            _text("location_id", "Place it is sent to."),
            _at("ordered_at", "Sent to the supplier at.", required=True),
            _at("expected_at", "Promised arrival."),
            _int("ordered_units", "Units ordered.", required=True, minimum=0),
            _minor("cost_minor", "Cost of one unit on this order."),
        ),
    ),
    FactTable(
        name="receipts",
        key=("receipt_id", "variant_id"),
        dated_by="received_at",
        doc="Units of a purchase order line that arrived.",
        columns=(
            _text("receipt_id", "The source's id.", required=True),
            _text("purchase_order_id", "Purchase order it belongs to."),
            _text("variant_id", "Variant received.", required=True),
            _text("location_id", "Place it arrived at."),
            _at("received_at", "Arrived at.", required=True),
            _int("received_units", "Units that arrived.", required=True, minimum=0),
        ),
    ),
    FactTable(
        name="orders",
        key=("order_id",),
        dated_by="updated_at",
        doc="A shopper's order. Several rows of one order are its later versions.",
        columns=(
            _text("order_id", "The source's id.", required=True),
            _text("customer_id", "Buyer; null for a guest."),
            _at("placed_at", "Placed at.", required=True),
            _at("updated_at", "This version is known since; defaults to placed_at."),
            _choice("status", "State of the order.", ORDER_STATUSES, required=True),
            _text("currency", "ISO 4217 code; must be the shop's."),
            _minor("shipping_minor", "Shipping charged."),
            _minor("discount_minor", "Discount over the whole order."),
            _minor("tax_minor", "Tax contained in or added to the order."),
            _text("discount_code", "Code used."),
            _text("channel", "Sales channel or source."),
            _at("promised_at", "Delivery promised for."),
            _at("delivered_at", "Delivered at."),
        ),
    ),
    FactTable(
        name="order_lines",
        key=("order_id", "line_id"),
        dated_by="placed_at",
        doc="One line of an order.",
        columns=(
            _text("order_id", "Order it belongs to.", required=True),
            _text("line_id", "The source's id or the line's number.", required=True),
            _at("placed_at", "Placed at, as on the order.", required=True),
            _text("customer_id", "Buyer, as on the order; null for a guest."),
            _choice("kind", "What the line is.", LINE_KINDS, required=True),
            _text("product_id", "Product; null for charges."),
            _text("variant_id", "Variant; null for charges."),
            _text("title", "Title as sold."),
            _int("quantity_units", "Units sold.", required=True, minimum=0),
            _minor(
                "unit_price_minor",
                "Price of one unit before line discount.",
                required=True,
            ),
            _minor("discount_minor", "Discount over the whole line."),
            _text("location_id", "Place it was sent from."),
        ),
    ),
    FactTable(
        name="refunds",
        key=("refund_id", "line_id"),
        dated_by="refunded_at",
        doc="Money given back for an order line, or for a whole order.",
        columns=(
            _text("refund_id", "The source's id.", required=True),
            _text("line_id", "Line of the refund.", required=True),
            _text("order_id", "Order refunded, when the source says which."),
            _text("customer_id", "Buyer; null for a guest."),
            _text("product_id", "Product; null when not for one product."),
            _text("variant_id", "Variant; null when not for one product."),
            _at("refunded_at", "Given back at.", required=True),
            _int("quantity_units", "Units, 0 when only money went back.", minimum=0),
            _minor("amount_minor", "Money given back.", required=True),
            _text("reason", "Reason as given."),
        ),
    ),
    FactTable(
        name="returns",
        key=("return_id", "line_id"),
        dated_by="returned_at",
        doc="Units that came back.",
        columns=(
            _text("return_id", "The source's id.", required=True),
            _text("line_id", "Line of the return.", required=True),
            _text("order_id", "Order, when the source says which."),
            _text("customer_id", "Buyer; null for a guest."),
            _text("product_id", "Product.", required=True),
            _text("variant_id", "Variant."),
            _at("returned_at", "Came back at.", required=True),
            _int("quantity_units", "Units that came back.", required=True, minimum=0),
            _text("reason", "Reason as given."),
            _choice("grade", "Can it be sold again?", ("resale", "seconds", "waste")),
            _minor("cost_minor", "Shipping, handling and loss of value."),
        ),
    ),
    FactTable(
        name="events",
        key=("event_id",),
        dated_by="occurred_at",
        immutable=True,
        doc="Something a visitor did or met on the storefront.",
        columns=(
            _text("event_id", "Unique id, made by the sender.", required=True),
            _choice("kind", "What happened.", EVENT_KINDS, required=True),
            _at("occurred_at", "Happened at.", required=True),
            _text("visitor_id", "Device or session id."),
            _text("customer_id", "Known customer, if signed in."),
            _text("product_id", "Product concerned."),
            _text("variant_id", "Variant concerned."),
            _text("query", "Search text, for searches."),
            _int("result_count", "Results shown, for searches.", minimum=0),
            _int("quantity_units", "Units, for cart events.", minimum=0),
            _int("position", "Slot in the list, from 1.", minimum=1),
            _text("decision_id", "Decision met, for exposures and clicks."),
            _text("placement", "Where on the storefront."),
        ),
    ),
    FactTable(
        name="reviews",
        key=("review_id",),
        dated_by="created_at",
        doc="What a customer wrote about a product or an order.",
        columns=(
            _text("review_id", "The source's id.", required=True),
            _text("product_id", "Product; null when about the order."),
            _text("order_id", "Order, if known."),
            _text("customer_id", "Author, if known."),
            _at("created_at", "Written at.", required=True),
            _int("rating", "Stars, 1 to 5.", minimum=1),
            _text("title", "Heading."),
            _text("body", "Text."),
        ),
    ),
    FactTable(
        name="questions",
        key=("question_id",),
        dated_by="updated_at",
        doc="What a shopper asked about a product, and what the shop answered.",
        columns=(
            _text("question_id", "The source's id.", required=True),
            _text("product_id", "Product asked about.", required=True),
            _at("asked_at", "Asked at.", required=True),
            _at("updated_at", "This version is known since; defaults to asked_at."),
            _text("question", "Question.", required=True),
            _text("answer", "The shop's answer; null while there is none."),
        ),
    ),
    FactTable(
        name="policies",
        key=("policy_id",),
        dated_by=None,
        doc="What a shop promises: shipping, returns, guarantee. One text each.",
        columns=(
            _text("policy_id", "The source's id.", required=True),
            _choice("topic", "What it is about.", POLICY_TOPICS, required=True),
            _text("title", "Heading."),
            _text("body", "Text, without mark-up.", required=True),
        ),
    ),
    FactTable(
        name="messages",
        key=("message_id",),
        dated_by="sent_at",
        immutable=True,
        doc="A message to or from a customer.",
        columns=(
            _text("message_id", "The source's id.", required=True),
            _text("customer_id", "Customer."),
            _choice(
                "direction", "From or to the customer.", ("in", "out"), required=True
            ),
            _text("medium", "email, chat, form, phone, sms, other; nps, survey."),
            _at("sent_at", "Sent at.", required=True),
            _text("campaign_id", "Campaign, for mailings."),
            _text("order_id", "Order concerned."),
            _text("subject", "Subject."),
            _text("body", "Text."),
            _text("address", "The customer's e-mail address, lower case."),
        ),
    ),
    FactTable(
        name="campaigns",
        key=("campaign_id",),
        dated_by="started_at",
        doc="A mailing, promotion or advertisement.",
        columns=(
            _text("campaign_id", "The source's id.", required=True),
            _text("name", "Name."),
            _text("medium", "email, ads, storefront."),
            _at("started_at", "Began at.", required=True),
            _at("ended_at", "Ended at."),
            _minor("cost_minor", "Money spent."),
        ),
    ),
    FactTable(
        name="consents",
        key=("customer_id", "purpose", "changed_at"),
        dated_by="changed_at",
        doc="A person's yes or no to one purpose, from an instant on.",
        columns=(
            _text("customer_id", "Customer.", required=True),
            _choice(
                "purpose",
                "What for.",
                ("email_marketing", "sms_marketing", "personalisation"),
                required=True,
            ),
            Column(name="granted", type="bool", doc="Yes or no.", required=True),
            _at("changed_at", "Said at.", required=True),
            _text("source", "How it was said."),
        ),
    ),
    FactTable(
        name="answers",
        key=("decision_id",),
        dated_by="answered_at",
        immutable=True,
        doc="A decision served online: what was shown to whom, and how likely.",
        columns=(
            _text("decision_id", "Id carried by exposures and clicks.", required=True),
            _at("answered_at", "Answered at.", required=True),
            _text("lever", "Lever that answered.", required=True),
            Column(name="turn", type="int", doc="Published turn that answered."),
            _text("placement", "Where on the storefront."),
            _text("customer_id", "Customer, if known."),
            _text("visitor_id", "Device or session id."),
            _choice(
                "arm",
                "Treated, held out, or fallback.",
                ("treated", "holdout", "fallback"),
                required=True,
            ),
            _text("eligible_hash", "Fingerprint of the eligible set."),
            _text(
                "slate",
                "JSON list of {product_id, propensity}, with the arm of an experiment "
                "on an option of the lever, or, where both arms share the list, the "
                "team that picked the slot: control, arm or nobody's.",
                required=True,
            ),
        ),
    ),
    FactTable(
        name="theme_corrections",
        key=("correction_id",),
        # How the shop reads texts is no event of its trade: a turn that looks from an
        # earlier day reads as the merchant wants it read now.
        dated_by=None,
        immutable=True,
        doc="What the merchant says of how texts are read: themes of `voice`.",
        columns=(
            _text("correction_id", "Unique id.", required=True),
            _choice("kind", "What is said.", CORRECTION_KINDS, required=True),
            _text("objection", "Class it is about; null for none."),
            _text("into_objection", "Class instead, of a move, a merge or a teaching."),
            _text("sentence", "Fingerprint of the sentence, of not_this or a move."),
            _text("beside", "Fingerprints of the sentences shown beside it."),
            _text("words", "Words of a split or a new theme, a line each."),
            _text("title", "Name of a split or of the new theme."),
            _text("takes_back", "Correction that is taken back."),
            _text("made_by", "Who said so.", required=True),
            _at("made_at", "Said at.", required=True),
        ),
    ),
    FactTable(
        name="outcomes",
        key=("decision_id", "metric"),
        dated_by="measured_at",
        doc="What happened after a decision, joined by the decision's id.",
        columns=(
            _text("decision_id", "Decision.", required=True),
            _text("metric", "What was measured.", required=True),
            _text("lever", "Lever that decided.", required=True),
            _text("kind", "Kind of decision.", required=True),
            _text("subject", "Subject of the decision.", required=True),
            _at("measured_at", "Measured at.", required=True),
            Column(name="predicted", type="float", doc="Predicted value."),
            Column(name="low", type="float", doc="Lower end of the interval."),
            Column(name="high", type="float", doc="Upper end of the interval."),
            Column(name="actual", type="float", doc="What happened."),
        ),
    ),
    FactTable(
        name="fix_effects",
        key=("objection", "form"),
        dated_by="measured_at",
        doc="What tests of page fixes found, by objection and form.",
        columns=(
            _text(
                "objection", "Objection that fixes of this kind answer.", required=True
            ),
            _text("form", "What a fix of this kind is called.", required=True),
            _at("measured_at", "Measured at.", required=True),
            _text("experiments", "Tests it rests on, a name a line.", required=True),
            Column(name="fixed", type="int", doc="Products to be mended."),
            Column(name="held_out", type="int", doc="Products left alone."),
            Column(name="shown", type="int", doc="Visitors to be shown such a fix."),
            Column(name="not_shown", type="int", doc="Visitors to be shown none."),
            _choice(
                "counted",
                "What tells the objection.",
                ("all returns", "returns", "messages"),
            ),
            Column(
                name="control_rate", type="float", doc="Times a unit sold, unmended."
            ),
            Column(name="change", type="float", doc="Change of that rate by a fix."),
            Column(name="change_low", type="float", doc="Lower end, 95 % interval."),
            Column(name="change_high", type="float", doc="Upper end."),
            Column(
                name="share", type="float", doc="Share of the objection taken back."
            ),
            Column(name="share_low", type="float", doc="Lower end, 95 % interval."),
            Column(name="share_high", type="float", doc="Upper end."),
            _text("harm", "What a test told it does harm to; null for nothing."),
        ),
    ),
)

TABLE_BY_NAME: dict[str, FactTable] = {table.name: table for table in TABLES}
