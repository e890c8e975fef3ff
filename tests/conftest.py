from __future__ import annotations

from hypothesis import HealthCheck, settings

# No deadline: the first example of a test pays for imports, and machines differ.
settings.register_profile("nas", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nas")
