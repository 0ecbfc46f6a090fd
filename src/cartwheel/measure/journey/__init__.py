"""Journey: where visits do not go on, what hangs on it, and what stands beside it."""
