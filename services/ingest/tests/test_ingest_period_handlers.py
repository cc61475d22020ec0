"""What becomes of periods, with ingest's store in memory.

`tests/integration/ingest/test_ingest_double.py` runs the same scenarios on PostgreSQL.
"""

import inspect

import pytest

from doubles.ingest import store as memory
from doubles.ingest.scenarios import NOW, SCENARIOS
from doubles.ingest.worlds import MemoryWorld
from gridtally.ingest.store import agreements, meters, periods

PAIRS = [
    (memory.Agreements, agreements),
    (memory.Meters, meters),
    (memory.Periods, periods),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[play.__name__ for play in SCENARIOS])
async def test_a_period(scenario, monkeypatch):
    await scenario(MemoryWorld(NOW, monkeypatch))


@pytest.mark.parametrize(("double", "module"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_the_double_takes_the_arguments_of_the_store(double, module):
    for name, function in inspect.getmembers(double, inspect.iscoroutinefunction):
        _, *parameters = inspect.signature(function).parameters
        assert parameters == [*inspect.signature(getattr(module, name)).parameters], name
