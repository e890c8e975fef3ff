"""Optuna as a search uses it: the study its samplers look at, and its tables beside ours."""
