"""Exports of support desks and chats: what customers said, and what was answered."""
