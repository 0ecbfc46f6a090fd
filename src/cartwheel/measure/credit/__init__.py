"""What tests of page fixes found, for the next proposal of that kind."""
