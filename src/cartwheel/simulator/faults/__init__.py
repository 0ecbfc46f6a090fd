"""Worlds with a fault seeded in what the product sees, and whether it is named."""
