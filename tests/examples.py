"""How many random cases a property tries: as many as it says, times GRIDTALLY_EXAMPLES_TIMES."""

import os
from math import ceil

from hypothesis import settings

TIMES = float(os.environ.get("GRIDTALLY_EXAMPLES_TIMES", "1"))


def examples(count):
    """Settings of a property that tries `count` cases in the usual run."""
    return settings(max_examples=ceil(count * TIMES), deadline=None)
