"""A shop with known truth: people, goods, suppliers and what happens between them."""
