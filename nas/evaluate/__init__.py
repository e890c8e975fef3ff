"""What a worker does: one job in, one evaluation out."""
