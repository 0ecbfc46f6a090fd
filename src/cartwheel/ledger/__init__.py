"""The ledger: decisions, what became of them, and their replay."""
