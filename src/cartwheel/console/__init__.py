"""The merchant's console: pages, server-drawn charts, templates and static files."""
