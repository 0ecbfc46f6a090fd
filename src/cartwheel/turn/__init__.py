"""The turn: one durable revolution of the wheel around a pure core."""
