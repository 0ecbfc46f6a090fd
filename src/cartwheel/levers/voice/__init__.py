"""What customers say: objections, how they feel, and what it costs the shop."""
