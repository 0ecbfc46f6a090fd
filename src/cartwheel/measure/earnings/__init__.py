"""The ledger of earnings: what each lever earned more than leaving units alone."""
