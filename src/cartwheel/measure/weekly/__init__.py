"""The weekly report: one screen of what the wheel did, as HTML that mail can carry."""
