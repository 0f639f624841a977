"""What may not be asked or answered: a list of words, and a check that somebody else's program makes."""
