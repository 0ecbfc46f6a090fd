"""Channels carry approved decisions out and report back."""
