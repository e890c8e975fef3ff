"""What each decision of a space is worth in accuracy at equal cost, and how sure that is."""
