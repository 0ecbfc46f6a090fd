"""Which links of the wheel connect silos, and which arm has them.

A lever's own silo is what the gadget of its kind is usually fed: a forecaster sales, a
recommender what people bought, a repricer costs and prices. Whatever else it reads came
from another corner of the shop: that is a link, and it can be cut.
"""

from __future__ import annotations

from cartwheel.errors import Misuse
from cartwheel.wheel import ARROW

LINKS: dict[str, str] = {
    f"intent{ARROW}forecast": "views, carts and failed carts tell of demand",
    f"price_plan{ARROW}forecast": "planned prices tell of coming demand",
    f"forecast{ARROW}replenish": "expected demand decides orders",
    f"margin{ARROW}replenish": "what a sale earns decides how much reserve is held",
    f"forecast{ARROW}price": "expected demand decides prices and markdowns",
    f"stock{ARROW}price": "cover decides markdowns and holds back price cuts",
    f"stock{ARROW}recommend": "cover decides what is promoted",
    f"margin{ARROW}recommend": "what a sale earns decides what is promoted",
    f"open_returns{ARROW}recommend": "what is on its way back is not shown again",
    f"identity{ARROW}recommend": "one history of a person's devices and purchases",
    f"returns{ARROW}margin": "expected returns are a cost of the sale",
    f"stock{ARROW}lifecycle": "offers promote what is there",
    f"margin{ARROW}lifecycle": "offers promote what earns",
    f"open_returns{ARROW}lifecycle": "offers leave out what is on its way back",
    f"lifetime_value{ARROW}lifecycle": "value decides who is worth an offer",
}
"""Links between silos and what each carries."""

MINUS, PLUS, COALITION = "connected minus ", "isolated plus ", "coalition "


def cuts_of_arm(name: str) -> frozenset[str] | None:
    """Return the links an arm of the wheel has cut, None for other arms.

    Args:
        name: connected, isolated, "connected minus LINK", "isolated plus LINK" or
            "coalition LINK+LINK".

    Raises:
        Misuse: If it names no link of the wheel.
    """
    every = frozenset(LINKS)
    if name == "connected":
        return frozenset()
    if name == "isolated":
        return every
    if name.startswith(MINUS):
        return frozenset({_known(name.removeprefix(MINUS))})
    if name.startswith(PLUS):
        return every - {_known(name.removeprefix(PLUS))}
    if name.startswith(COALITION):
        members = name.removeprefix(COALITION)
        kept = {_known(link) for link in members.split("+") if link}
        return every - kept
    return None


def _known(link: str) -> str:
    plain = link.strip().replace("->", ARROW)
    if plain not in LINKS:
        raise Misuse(
            f"There is no link {link!r} between silos.",
            f"Choose one of {', '.join(LINKS)}.",
        )
    return plain
