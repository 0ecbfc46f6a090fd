"""`shopify-csv`: the CSV exports of a Shopify shop's admin pages."""

from cartwheel.connectors.shopify_csv.connector import ShopifyCsv

__all__ = ["ShopifyCsv"]
