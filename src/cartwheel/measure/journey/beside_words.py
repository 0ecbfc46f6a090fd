"""What stands beside a drop-off in words: themes, searches that fail, contacts."""

from __future__ import annotations

from urllib.parse import quote

from cartwheel.measure.journey.beside import MOST_EACH, SEARCH, SUPPORT, VOICE, Beside
from cartwheel.measure.journey.data import JourneyData
from cartwheel.measure.journey.steps import RECENT_DAYS

QUOTE_LETTERS = 200

_WEAK = (
    "SELECT query, searches, without_result, clicks, found, sold_out FROM "
    "j_weak_searches"
)


def themes(data: JourneyData, product: str) -> list[Beside]:
    """Return what customers object to in a product."""
    rows = data.rows(
        "SELECT objection, mentions, texts, recent, contacts, returned_units, quotes "
        "FROM j_objections WHERE product_id = $1 AND mentions > 0 "
        f"ORDER BY recent DESC, mentions DESC, objection LIMIT {MOST_EACH}",
        [product],
    )
    return [
        Beside(
            what="theme",
            says=f"{theme.replace('_', ' ').capitalize()}: raised by {mentions:,} of "
            f"{texts:,} texts about it in a year, {recent:,} in the last {RECENT_DAYS} "
            "days.",
            numbers={
                "theme": theme,
                "mentions": int(mentions),
                "texts": int(texts),
                "recent": int(recent),
                "contacts": int(contacts),
                "returned_units": int(returned),
            },
            page=f"{VOICE[0]}/{quote(theme)}?product={quote(product, safe='')}",
            page_title=VOICE[1],
            quote=(quotes or "").split("\n")[0][:QUOTE_LETTERS],
        )
        for theme, mentions, texts, recent, contacts, returned, quotes in rows
    ]


def asking_for_its_category(data: JourneyData, product: str) -> list[Beside]:
    """Return weak searches that ask for a product's category."""
    rows = data.rows(
        "SELECT category FROM j_listing WHERE product_id = $1 AND category <> ''",
        [product],
    )
    return asking_for(data, str(rows[0][0])) if rows else []


def asking_for(data: JourneyData, category: str) -> list[Beside]:
    """Return weak searches that ask for a category, most asked first."""
    rows = data.rows(
        f"{_WEAK} WHERE category = $1 ORDER BY searches DESC, query LIMIT {MOST_EACH}",
        [category],
    )
    return [_weak(*row, asks="asks for its category") for row in rows]


def search_itself(data: JourneyData, query: str) -> list[Beside]:
    """Return what a search itself is known for."""
    rows = data.rows(f"{_WEAK} WHERE query = $1", [query])
    return [_weak(*row, asks="is weak itself") for row in rows]


def _weak(
    query: str,
    searches: int,
    nothing: int,
    clicks: int,
    found: int,
    sold_out: int,
    *,
    asks: str,
) -> Beside:
    return Beside(
        what="search",
        says=f"The search “{query[:80]}” {asks}: {searches:,} times in 90 days, "
        f"{nothing:,} without a result, {clicks:,} products opened; today {found:,} "
        f"products say all of its words, {sold_out:,} of them sold out.",
        numbers={
            "query": query,
            "searches": int(searches),
            "without_result": int(nothing),
            "clicks": int(clicks),
            "found": int(found),
            "sold_out": int(sold_out),
        },
        page=SEARCH[0],
        page_title=SEARCH[1],
    )


def nothing_found(data: JourneyData, _: str) -> list[Beside]:
    """Return the searches of the whole shop that found nothing."""
    by_part = "GROUP BY recent ORDER BY recent DESC"
    found = {
        bool(recent): (int(searches), int(nothing))
        for recent, searches, nothing in data.rows(
            f"SELECT ago < {RECENT_DAYS} AS recent, count(*), count_if(result_count = "
            "0) FROM j_events JOIN j_visits USING (visitor_id, visit) WHERE "
            f"kind = 'search' AND result_count IS NOT NULL {by_part}"
        )
    }
    searches, nothing = found.get(True, (0, 0))
    before, nothing_before = found.get(False, (0, 0))
    if not nothing:
        return []
    return [
        Beside(
            what="search",
            says=f"{nothing:,} of {searches:,} searches found nothing; in the days "
            f"before {nothing_before:,} of {before:,}.",
            numbers={
                "searches": searches,
                "without_result": nothing,
                "searches_before": before,
                "without_result_before": nothing_before,
            },
            page=SEARCH[0],
            page_title=SEARCH[1],
        )
    ]


def contacts(data: JourneyData, product: str) -> list[Beside]:
    """Return how many messages and questions are about a product."""
    last = f"DATE '{data.on}'"
    recent = f"day > {last} - {RECENT_DAYS}"
    messages, questions, before = data.rows(
        f"SELECT count(*) FILTER (source = 'message' AND {recent}), count(*) FILTER ("
        f"source = 'question' AND {recent}), count(*) FILTER (NOT ({recent}) AND day > "
        f"{last} - {2 * RECENT_DAYS}) FROM j_feedback WHERE product_id = $1 AND source "
        "IN ('message', 'question')",
        [product],
    )[0]
    if not messages + questions:
        return []
    return [
        Beside(
            what="contacts",
            says=f"{messages:,} messages and {questions:,} questions about it in "
            f"{RECENT_DAYS} days; {before:,} in the {RECENT_DAYS} days before.",
            numbers={"messages": messages, "questions": questions, "before": before},
            page=SUPPORT[0],
            page_title=SUPPORT[1],
        )
    ]
