"""A shop opens again with the settings it was made with."""

from __future__ import annotations

from pathlib import Path

from cartwheel.shop import make_shop, open_shop


def test_sections_within_sections_are_written_and_read_again(tmp_path: Path) -> None:
    made = make_shop(
        tmp_path / "shop",
        currency="EUR",
        sections={
            "holdout": {"share_bps": 700},
            "holdout.levers": {"price": 300},
            "costs": {"parcel_minor": 450},
        },
    )
    again = open_shop(made.folder)
    assert again.settings == made.settings
    assert again.settings.holdout.share_bps == 700
    assert again.settings.holdout.levers == {"price": 300}
    assert again.settings.costs.parcel_minor == 450
