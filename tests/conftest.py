"""Hypothesis profiles: deterministic in continuous integration, without deadlines anywhere, and a thorough one.

Where the variable CI is set, Hypothesis loads its own profile `ci`.  For 20,000 random graphs:

    .venv/bin/python -m pytest --hypothesis-profile=thorough tests/test_checking.py -k random_graphs
"""

from hypothesis import settings

settings.register_profile("local", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=20_000)
if settings.get_current_profile_name() == "default":
    settings.load_profile("local")
