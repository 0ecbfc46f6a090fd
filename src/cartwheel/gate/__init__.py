"""The gate: what every decision passes, in one visible order."""
