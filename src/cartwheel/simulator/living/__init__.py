"""A demo shop that lives: a real shop's folder on one side, a world on the other."""
