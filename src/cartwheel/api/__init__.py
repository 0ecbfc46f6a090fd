"""The HTTP API: events in, recommendations and decisions out."""
