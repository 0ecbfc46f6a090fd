"""The claim check: no sentence of a draft without a source of the shop's own facts."""

from cartwheel.text.claims.check import Brand, Checker, Claim, check_draft
from cartwheel.text.claims.source import Source

__all__ = ["Brand", "Checker", "Claim", "Source", "check_draft"]
