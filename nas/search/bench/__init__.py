"""Benchmarks of samplers on tables of trained networks, through the very engine that searches spaces."""
