"""Mail of customers from files: mbox, EML and folders of them."""
