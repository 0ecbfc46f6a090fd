"""The lake: canonical, append-only, versioned fact tables."""
