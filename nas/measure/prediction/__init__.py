"""Latencies predicted from the architecture, with an interval, by what was measured of others."""
