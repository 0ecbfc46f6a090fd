"""A made shop with known truth; it meets the product only at its contracts."""
