"""What leaves the program: winners, and the way from a reference or an official checkpoint to a network."""
