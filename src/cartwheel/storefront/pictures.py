"""Pictures of products, drawn from id and title: no photograph, the same each time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

WIDTH, HEIGHT = 300, 375

PAPERS = ("#f3efe6", "#e9eef0", "#f2e9e4", "#e8efe6", "#efeaf2", "#f4eddb")
CLOTHS = (
    *("#2f4a5e", "#8c4a3c", "#5b6b4f", "#b78a3e", "#6d5273", "#3f6f6a"),
    *("#a2605f", "#44506e", "#7a6a55", "#c07b52", "#56788c", "#874f63"),
)

SHAPES: Mapping[str, str] = {
    "dress": "M122 58l14 0q14 22 28 0l14 0 10 66-14 40 42 168q-66 16-132 0l42-168"
    "-14-40z",
    "top": "M104 96l28-12q18 22 36 0l28 12 46 56-29 25-18-20v136H105V157l-18 20-29-25z",
    "trousers": "M104 66h92l12 262h-46L150 150 138 328H92z",
    "knit": "M108 92l24-10q18 16 36 0l24 10q32 20 46 164l-28 7-16-96v130H106V167"
    "l-16 96-28-7q14-144 46-164z",
    "shoe": "M56 188q24 14 46-8l18-34 34 20q20 44 84 48 22 8 16 38H56z",
    "bag": "M84 158h132l16 146H68z",
    "belt": "M40 176h220v36H40z",
    "scarf": "M112 76q38 30 76 0l14 24-34 34 26 190h-40l-10-150-34 150H72l46-190"
    "-26-34z",
    "cap": "M86 214q4-80 66-80 58 0 64 80h44q12 22-10 26H86z",
    "coat": "M106 76l30-12 14 26 14-26 30 12q32 20 42 168l-28 6-10-80 14 158h-60"
    "l-2-210-2 210H88l14-158-10 80-28-6q10-148 42-168z",
}
KEYWORDS: Mapping[str, str] = {
    "dress": "dress",
    "trousers": "trousers jeans chinos leggings shorts skirt",
    "coat": "coat jacket parka",
    "knit": "cardigan jumper roll-neck knit sweater",
    "top": "shirt blouse polo top tee",
    "shoe": "trainers boots loafers sandals shoe",
    "scarf": "scarf",
    "cap": "cap hat",
    "belt": "belt",
    "bag": "bag",
}
DETAILS: Mapping[str, str] = {
    "shoe": '<path d="M52 252h204v14q-4 8-14 8H66q-12 0-14-10z" fill="#fffc"/>',
    "bag": '<path d="M112 160q0-64 38-64t38 64" fill="none" stroke="{cloth}" '
    'stroke-width="11"/>',
    "belt": '<path d="M52 168h44v52H52z" fill="none" stroke="#d9b65b" '
    'stroke-width="9"/>',
    "coat": '<path d="M162 170h8m-8 44h8m-8 44h8" stroke="#fffa" stroke-width="7" '
    'stroke-linecap="round"/>',
    "trousers": '<path d="M103 84h94" stroke="#fff6" stroke-width="4"/>',
    "knit": '<path d="M106 282h88" stroke="#fff6" stroke-width="7" '
    'stroke-dasharray="5 5"/>',
}
PATTERNS = (
    "",
    "",
    '<path d="M0 6h14" stroke="#fff" stroke-opacity=".42" stroke-width="4"/>',
    '<path d="M6 0v14" stroke="#fff" stroke-opacity=".34" stroke-width="3"/>',
    '<circle cx="7" cy="7" r="2.4" fill="#fff" fill-opacity=".55"/>',
    '<path d="M0 7h14M7 0v14" stroke="#fff" stroke-opacity=".3" stroke-width="2"/>',
)


def draw_product(product_id: str, title: str = "") -> str:
    """Return a product's picture as SVG; nothing of id or title stands in it.

    Args:
        product_id: Chooses colours and pattern.
        title: Words in it choose the shape; without one it is a plain composition.
    """
    digest = hashlib.blake2b(product_id.encode(), digest_size=8).digest()
    paper = PAPERS[digest[0] % len(PAPERS)]
    cloth = CLOTHS[digest[1] % len(CLOTHS)]
    pattern = PATTERNS[digest[2] % len(PATTERNS)]
    shape = shape_of(title)
    if shape is None:
        body = "".join(_circles(digest))
    else:
        outline = SHAPES[shape]
        detail = DETAILS.get(shape, "").replace("{cloth}", cloth)
        body = f'<path d="{outline}" fill="{cloth}"/>'
        if pattern:
            body += f'<path d="{outline}" fill="url(#p)"/>'
        body += detail
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}"><defs><pattern id="p" width="14" '
        f'height="14" patternUnits="userSpaceOnUse">{pattern}</pattern></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{paper}"/>'
        f'<ellipse cx="150" cy="338" rx="92" ry="9" fill="#0000000f"/>{body}</svg>'
    )


def shape_of(title: str) -> str | None:
    """Return the shape that a title asks for, or None."""
    said = title.casefold()
    for shape, words in KEYWORDS.items():
        if any(word in said for word in words.split()):
            return shape
    return None


def _circles(digest: bytes) -> Iterator[str]:
    for n in range(3):
        cloth = CLOTHS[digest[3 + n] % len(CLOTHS)]
        x, y = 90 + digest[4 + n] % 120, 120 + digest[5 + n % 3] % 130
        yield (
            f'<circle cx="{x}" cy="{y}" r="{52 - 11 * n}" fill="{cloth}" '
            'fill-opacity=".82"/>'
        )
