"""Sweeps: given trainings, each done once; comparisons, judgements of a proxy, refinements of a front."""
