"""What others publish is stored as it is by now, whatever the order in which it comes."""

from datetime import date
from itertools import permutations
from uuid import uuid4

import pytest


@pytest.mark.parametrize("batched", [True, False])
async def test_of_a_meters_registrations_the_newest_counts(world, make, batched):
    for order in permutations((1, 2, 3)):
        meter_id = uuid4()
        events = [make.registered(meter_id, connected_kw=str(n), version=n) for n in order]
        for batch in [events] if batched else [[event] for event in events]:
            await world.register(*batch)
        stored = await world.rows("SELECT connected_kw FROM meter WHERE id = $1", meter_id)
        assert [row["connected_kw"] for row in stored] == [3]


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(
    ("withdrawal", "stored"),
    [
        (
            {"status": "withdrawn", "withdrawn_from": date(2025, 1, 1)},
            {"status": "withdrawn", "effective_to": date(2026, 1, 1)},
        ),
        (
            {"effective_to": date(2025, 3, 1), "withdrawn_from": date(2025, 3, 1)},
            {"status": "published", "effective_to": date(2025, 3, 1)},
        ),
    ],
)
async def test_a_version_that_was_withdrawn_stays_so(world, make, withdrawal, stored, batched):
    """Its publication comes again behind its withdrawal, as a relay may send it."""
    version = make.published(uuid4(), until=date(2026, 1, 1))
    events = [version, version.model_copy(update=withdrawal), version]
    for batch in [events] if batched else [[event] for event in events]:
        await world.publish(*batch)
    assert await world.rows("SELECT status, effective_to FROM tariff_version") == [stored]
