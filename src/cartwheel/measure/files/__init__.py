"""Analysis of an assignment and outcome file that somebody brings."""
