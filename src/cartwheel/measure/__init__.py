"""What a decision earned, against those who did not get it."""
