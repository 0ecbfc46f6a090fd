"""The demo storefront: a small shop to look at, whose visits feed the wheel."""
