"""Connectors: one file per source; each reads it and accounts for every row."""
