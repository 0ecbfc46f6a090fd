"""Settings of a shop: name, default and help text of each, in one place.

Order of precedence: environment (`CARTWHEEL_...`, nested with `__`), then the shop's
`cartwheel.toml`, then the defaults below. Unknown names are an error.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from cartwheel.errors import Misuse

FILE_NAME = "cartwheel.toml"
ZERO_DECIMAL = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
THREE_DECIMAL = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])

AutonomyName = Literal["suggest", "approve", "auto"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Guardrails(_Section):
    """Limits no decision passes, whatever a model says."""

    minimum_margin_bps: int = Field(
        1000, ge=0, le=10000, description="Smallest margin of a price, of the price."
    )
    max_price_change_bps: int = Field(
        1500, ge=0, le=10000, description="Largest price change in one turn."
    )
    max_markdown_bps: int = Field(
        5000, ge=0, le=9000, description="Largest markdown of dead stock in one turn."
    )
    max_messages_30_days: int = Field(
        2, ge=0, le=31, description="Most offers to one customer in 30 days."
    )
    reorder_budget_minor: int | None = Field(
        None, ge=0, description="Most money for reorders in one turn; empty: no limit."
    )
    minimum_cover_days: float = Field(
        2, ge=0, le=365, description="Below this cover nothing promotes the item."
    )
    blocked_products: tuple[str, ...] = Field(
        (), description="Products never shown, mailed, reordered or repriced."
    )
    forbidden_words: tuple[str, ...] = Field(
        (), description="Words and phrases that no page of the shop may say."
    )
    terms_in_other_words: bool = Field(
        False, description="A draft may say what a policy says in other words."
    )


class Costs(_Section):
    """What a sale costs besides the goods, and what the wheel costs."""

    parcel_minor: int | None = Field(
        None,
        ge=0,
        description="What sending one order costs; empty: unknown, not counted.",
    )
    contact_minor: int | None = Field(
        None,
        ge=0,
        description="What answering one message costs; empty: unknown, not counted.",
    )
    tools_minor_month: int | None = Field(
        None,
        ge=0,
        description="What the wheel's tools cost a month; empty: unknown, not counted.",
    )
    labour_minor_hour: int | None = Field(
        None,
        ge=0,
        description="What an hour of work costs; empty: unknown, not counted.",
    )
    minutes_per_decision: float | None = Field(
        None,
        ge=0,
        le=480,
        description="Minutes a person takes for a decision; empty: unknown.",
    )


class Holdout(_Section):
    """People left alone, so that what the wheel earns can be measured."""

    share_bps: int = Field(
        500, ge=0, le=5000, description="Share of customers left alone by every lever."
    )
    levers: dict[str, Annotated[int, Field(ge=0, le=5000)]] = Field(
        default_factory=lambda: {
            "recommend": 500,
            "search": 500,
            "lifecycle": 500,
            "price": 500,
        },
        description=(
            "Share left alone by one lever only, by lever: of customers, or of "
            "products where it decides about products."
        ),
    )
    salt: str = Field("wheel", min_length=1, description="Salt of the stable hash.")


class Imap(_Section):
    """The mailbox that `cartwheel import imap` reads."""

    host: str = Field(
        "",
        max_length=253,
        pattern=r"^[^\s/]*$",
        description="Server of the mailbox; empty: none.",
    )
    port: int = Field(
        993, ge=1, le=65535, description="Port, always with TLS from the first byte."
    )
    folder: str = Field(
        "INBOX",
        min_length=1,
        max_length=500,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="Folder of it that is read.",
    )
    user: str = Field(
        "",
        max_length=254,
        pattern=r'^[^\s"\\\x00-\x1f\x7f]*$',
        description="Who signs in, most often the address.",
    )
    password_variable: str = Field(
        "IMAP_PASSWORD",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the password.",
    )
    own: tuple[str, ...] = Field(
        (),
        description="The shop's own addresses, or domains with their @; empty: `user`.",
    )
    most_messages: int = Field(
        2000, ge=1, le=100_000, description="Most messages fetched by one import."
    )
    seconds: int = Field(
        300,
        ge=1,
        le=86_400,
        description="Seconds that an import fetches for, at most.",
    )


class Connectors(_Section):
    """Sources that are no files."""

    imap: Imap = Imap()


class Turning(_Section):
    """How the wheel turns."""

    seed: int = Field(20260101, ge=0, description="Seed of every random draw.")
    lever_seconds: int = Field(
        900, ge=1, description="Longest a lever may take before its fallback decides."
    )
    keep_turns: int = Field(12, ge=2, description="Published turns kept for replay.")


class Settings(BaseSettings):
    """Everything a shop can set."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="CARTWHEEL_",
        env_nested_delimiter="__",
    )

    name: str = Field("My shop", max_length=200, description="Name of the shop.")
    currency: str = Field(
        pattern=r"^[A-Z]{3}$", description="ISO 4217 code; every amount is in it."
    )
    timezone: str = Field("UTC", description="IANA zone; days are counted in it.")
    demo: bool = Field(False, description="A shop with made data.")
    database_url: str | None = Field(
        None,
        description="PostgreSQL address of the operational database, if not SQLite.",
    )
    lake_catalogue_url: str | None = Field(
        None, description="PostgreSQL connection string of the lake's catalogue."
    )
    guardrails: Guardrails = Guardrails()
    costs: Costs = Costs()
    holdout: Holdout = Holdout()
    turn: Turning = Turning()
    connectors: Connectors = Connectors()
    autonomy: dict[str, AutonomyName] = Field(
        default_factory=dict, description="Autonomy by kind of decision."
    )
    levers: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Options by lever."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("expected an IANA zone such as Europe/London")
        ZoneInfo(value)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which arrives as `init`."""
        return env_settings, init_settings

    @property
    def minor_digits(self) -> int:
        """Decimal places of the currency."""
        return digits_of(self.currency)


SYMBOLS = {
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "C$",
    "CNY": "CN¥",
    "EUR": "€",
    "GBP": "£",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "MXN": "MX$",
    "NZD": "NZ$",
    "PHP": "₱",
    "USD": "$",
    "VND": "₫",
}
"""Symbols of currencies in English pages; others are written out."""


def digits_of(currency: str) -> int:
    """Return the decimal places of a currency, by its ISO 4217 code."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


class PinnedSettings(Settings):
    """Settings as a turn recorded them; neither file nor environment changes them."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave the environment out."""
        return (init_settings,)


def read_settings(folder: Path) -> Settings:
    """Read a shop's settings.

    Raises:
        Misuse: If the file is missing, unreadable or holds a wrong value.
    """
    path = folder / FILE_NAME
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Misuse(
            f"{folder} is not a shop: it has no {FILE_NAME}.",
            f"Make one with: cartwheel init {folder} --currency EUR --timezone UTC",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misuse(
            f"{path} cannot be read: {error}.",
            "Correct the file; its settings are listed in docs/settings.md.",
        ) from error
    return check_settings(values, path)


def check_settings(values: dict[str, Any], path: Path) -> Settings:
    """Validate settings; raise `Misuse` naming the setting, value and what fits."""
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            what = f"{where} is missing in {path}."
        else:
            value = json.dumps(first.get("input"), default=str)[:100]
            variable = f"CARTWHEEL_{'__'.join(map(str, first['loc'])).upper()}"
            source = variable if variable in os.environ else path
            what = f"{where} is {value} in {source}: {first['msg']}."
        raise Misuse(
            what, "Correct it; every setting is listed in docs/settings.md."
        ) from error
    except SettingsError as error:
        raise Misuse(
            f"A CARTWHEEL_ variable of the environment cannot be read: {error}.",
            "A section is set by its parts, such as "
            "CARTWHEEL_GUARDRAILS__MINIMUM_MARGIN_BPS=1500.",
        ) from error


def write_settings(
    folder: Path,
    values: Mapping[str, str | bool],
    sections: Mapping[str, Mapping[str, str | int]],
) -> None:
    """Write a new settings file with top-level values and those of sections."""
    lines = ["# Settings of this shop; all are listed in docs/settings.md.", ""]
    lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    for section, held in sections.items():
        lines += ["", f"[{section}]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in held.items()]
    (folder / FILE_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
