"""Words of the sample shop: invented names, descriptions, reviews and messages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryText:
    """One category of the sample shop and the law its products are drawn from.

    Attributes:
        path: Category path.
        nouns: What its articles are called.
        low: Lowest usual price in whole currency units.
        high: Highest usual price.
        peak: Day of the year with the highest demand.
        swing: Size of the yearly season, 0 for none.
        sizes: Option values, empty when it has no variants.
        returns: Share of units that come back when nothing is wrong.
        elasticity: Mean price elasticity of its articles.
    """

    path: str
    nouns: tuple[str, ...]
    low: int
    high: int
    peak: int
    swing: float
    sizes: tuple[str, ...]
    returns: float
    elasticity: float


_SML = ("S", "M", "L")
_KIDS = ("104", "116", "128")
_BED = ("135x200", "155x220")


def _category(
    path: str,
    nouns: str,
    prices: tuple[int, int],
    season: tuple[int, float],
    sizes: tuple[str, ...],
    returns: float,
    elasticity: float,
) -> CategoryText:
    return CategoryText(
        path=path,
        nouns=tuple(nouns.split(", ")),
        low=prices[0],
        high=prices[1],
        peak=season[0],
        swing=season[1],
        sizes=sizes,
        returns=returns,
        elasticity=elasticity,
    )


CATEGORIES: tuple[CategoryText, ...] = (
    _category(
        "Women > Dresses",
        "wrap dress, linen dress, shirt dress",
        (49, 119),
        (175, 0.6),
        _SML,
        0.2,
        -2.4,
    ),
    _category(
        "Women > Knitwear",
        "cardigan, wool jumper, knitted vest",
        (45, 99),
        (335, 0.6),
        _SML,
        0.15,
        -2.2,
    ),
    _category(
        "Women > Tops",
        "cotton blouse, striped top, linen shirt",
        (19, 49),
        (160, 0.3),
        _SML,
        0.14,
        -2.9,
    ),
    _category(
        "Men > Shirts",
        "oxford shirt, flannel shirt, linen shirt for men",
        (35, 79),
        (150, 0.2),
        _SML,
        0.12,
        -2.1,
    ),
    _category(
        "Men > Knitwear",
        "lambswool jumper, rollneck, zip cardigan",
        (49, 109),
        (340, 0.6),
        _SML,
        0.11,
        -1.9,
    ),
    _category(
        "Men > Trousers",
        "chino, corduroy trousers, linen trousers",
        (45, 89),
        (110, 0.2),
        _SML,
        0.17,
        -2.3,
    ),
    _category(
        "Outerwear > Jackets",
        "rain jacket, quilted jacket, wool coat",
        (79, 189),
        (310, 0.7),
        _SML,
        0.18,
        -1.8,
    ),
    _category(
        "Kids > Clothing",
        "dungarees, children's jumper, rain set",
        (19, 45),
        (245, 0.3),
        _KIDS,
        0.1,
        -3.0,
    ),
    _category(
        "Accessories > Scarves",
        "wool scarf, silk scarf, gauze scarf",
        (19, 59),
        (345, 0.6),
        (),
        0.05,
        -2.6,
    ),
    _category(
        "Accessories > Bags",
        "canvas tote, leather shoulder bag, weekender",
        (29, 149),
        (345, 0.3),
        (),
        0.07,
        -1.7,
    ),
    _category(
        "Home > Bedding",
        "linen bed set, percale bed set, flannel bed set",
        (49, 139),
        (20, 0.3),
        _BED,
        0.06,
        -2.2,
    ),
    _category(
        "Home > Cushions",
        "velvet cushion, linen cushion, woven cushion",
        (15, 39),
        (330, 0.2),
        (),
        0.05,
        -3.2,
    ),
    _category(
        "Home > Candles",
        "scented candle, pillar candle, tealight set",
        (9, 29),
        (350, 0.7),
        (),
        0.02,
        -2.8,
    ),
    _category(
        "Home > Kitchen",
        "stoneware bowl, carafe, tea towel set, serving board",
        (12, 55),
        (345, 0.4),
        (),
        0.04,
        -2.5,
    ),
    _category(
        "Home > Lighting",
        "table lamp, pendant lamp, lantern",
        (39, 149),
        (320, 0.4),
        (),
        0.08,
        -1.6,
    ),
    _category(
        "Home > Throws",
        "wool throw, cotton throw, mohair blanket",
        (29, 119),
        (345, 0.6),
        (),
        0.05,
        -2.3,
    ),
)

BRANDS = (
    "Alderholt",
    "Brimsea",
    "Cotterel & Fen",
    "Dunmarr",
    "Eskelund",
    "Fjordlin",
    "Halvora",
    "Marenne",
    "Norrvik",
    "Quillmere",
    "Tessaro",
    "Velden Row",
)
STYLES = ("coastal", "botanical", "nordic", "heritage", "modern", "folk")
COLOURS = ("sage", "ivory", "navy", "rust", "charcoal", "ochre", "plum", "sand")
NAMES = (
    "Sorrel",
    "Arden",
    "Bracken",
    "Calder",
    "Dahlia",
    "Elowen",
    "Fenn",
    "Garrow",
    "Hollis",
    "Isla",
    "Juniper",
    "Kestrel",
    "Linnet",
    "Maren",
    "Nell",
    "Orla",
    "Perrin",
    "Quince",
    "Rowan",
    "Senna",
    "Tamsin",
    "Umber",
    "Verity",
    "Wren",
    "Yarrow",
    "Zinnia",
)
SUPPLIERS = (
    "Baltic Textile Works",
    "Porto Weaving House",
    "Lower Rhine Ceramics",
    "Izmir Cotton Union",
    "Hebrides Wool Mill",
    "Lombardy Leather Studio",
    "Vistula Home Goods",
    "Jaipur Block Print Atelier",
)
FIRST_NAMES = (
    "Anna",
    "Bram",
    "Clara",
    "David",
    "Elise",
    "Finn",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Katja",
    "Lena",
    "Marta",
    "Noah",
    "Olga",
    "Paul",
    "Quirin",
    "Rosa",
    "Sven",
    "Tilda",
    "Ugo",
    "Vera",
    "Wim",
    "Yara",
)
LAST_NAMES = (
    "Albrecht",
    "Bakker",
    "Caron",
    "Delgado",
    "Eriksen",
    "Fontaine",
    "Gruber",
    "Hansen",
    "Ibarra",
    "Jansen",
    "Keller",
    "Lindqvist",
    "Moretti",
    "Novak",
    "Oliveira",
    "Peeters",
    "Rossi",
    "Schmid",
    "Thomsen",
    "Vogel",
    "Weber",
    "Zimmer",
)
COUNTRIES = ("DE", "FR", "NL", "AT", "BE", "IE", "ES", "IT")
COUNTRY_SHARES = (0.42, 0.13, 0.12, 0.1, 0.08, 0.05, 0.05, 0.05)

NOT_SOLD = (
    "gift card",
    "umbrella",
    "swimwear",
    "winter boots",
    "curtains",
    "rug 200x300",
    "socks",
    "belt",
    "jumpre",
    "scraf",
)

RETURN_REASONS = {
    "small": "too small",
    "taste": "changed my mind",
    "looks": "not as described",
    "defect": "defective",
    "late": "arrived too late",
}

REVIEW_TEXT: dict[str, tuple[tuple[str, str], ...]] = {
    "small": (
        ("Runs small", "Nice fabric, but the {noun} runs small. Order a size up."),
        ("Too tight", "I took my usual size and the {noun} is too tight."),
        ("Sizing is off", "The sizing of this {noun} is off, I had to send it back."),
    ),
    "defect": (
        ("Fell apart", "The {noun} broke after a week. I expected better."),
        ("Poor quality", "The finish of the {noun} is poor, loose threads everywhere."),
    ),
    "looks": (
        ("Different colour", "The {noun} looks different from the pictures."),
        ("Not as shown", "The colour of the {noun} is not what the page shows."),
    ),
    "late": (
        ("Late delivery", "The {noun} itself is fine, but delivery took far too long."),
        ("Waited too long", "Good {noun}, but it came days after the promised date."),
    ),
    "good": (
        ("Lovely", "Lovely {noun}, well made and as described."),
        ("Very happy", "I am very happy with this {noun}. Would buy again."),
        ("Great value", "The {noun} feels far more expensive than it was."),
    ),
    "fine": (
        ("Fine", "The {noun} is fine for the price."),
        ("Does the job", "An ordinary {noun}, nothing special, does the job."),
    ),
}

MESSAGE_TEXT: dict[str, tuple[str, str]] = {
    "late": ("Where is my order?", "Order {order} should be here by now. Where is it?"),
    "small": ("Wrong size", "The {noun} from order {order} is too small. Exchange?"),
    "defect": ("Damaged item", "The {noun} in order {order} arrived damaged."),
    "looks": ("Not as pictured", "The {noun} of order {order} looks different."),
    "taste": ("How do I return?", "How can I return the {noun} from order {order}?"),
    "question": ("A question", "How do I wash the {noun} I bought in {order}?"),
}
REPLY = "Thank you for writing about {order}. We have looked into it for you."


def description(noun: str, brand: str, style: str, colour: str) -> str:
    """Return the text of a product page."""
    return (
        f"{noun[0].upper()}{noun[1:]} by {brand} in {colour}, from our {style} range. "
        "Made in small series in Europe, tested for daily use."
    )
