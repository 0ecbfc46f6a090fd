"""What customers say: objections, what they cost, and in whose words."""

from cartwheel.levers.voice.lever import Voice

__all__ = ["Voice"]
