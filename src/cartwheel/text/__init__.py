"""What texts are made of: words, sizes, spelling, n-grams, meaning; any language."""
