"""The default sampler: a Gaussian process over decisions and costs, asked for the largest expected hypervolume."""
