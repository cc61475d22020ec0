"""Days of derived meters: what an interval of the sum is, by hand."""

from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import pytest

from gridtally.ingest.domain.derived_meters import (
    MeterNetwork,
    PartDay,
    PartTotal,
    SummedPart,
    add_up,
    part_totals,
)
from gridtally.ingest.domain.merge import MISSING
from gridtally.ingest.domain.meters import Channel, Meter
from gridtally.metering.derived_meters import Definition, Term

A, B, C, D = (UUID(int=number) for number in range(1, 5))
DAY = date(2025, 6, 1)
M = MISSING


def channels(*flows, minutes=60):
    return tuple(Channel(flow, minutes, 10_000) for flow in flows)


def part_day(values, *, minutes=60, quality=None, version=1, zone="UTC"):
    slots = 1440 // minutes
    full = np.array([*values, *[0] * (slots - len(values))], np.int32)
    letters = np.frombuffer((quality or "").ljust(slots, "A").encode(), np.uint8)
    return PartDay(zone, DAY, minutes, version, full, letters)


@pytest.mark.parametrize(
    ("factors", "parts", "imported", "exported", "quality"),
    [
        ({A: 1}, {A: part_day([5, M])}, [5, M], None, "A-"),
        ({A: 1, B: 1}, {A: part_day([5, 6, 1]), B: part_day([1, M, 2])}, [6, M, 3], None, "A-A"),
        ({A: 1, B: -1}, {A: part_day([5, 2]), B: part_day([3, 3])}, [2, 0], [0, 1], "AA"),
        ({A: 2}, {A: part_day([5])}, [10], None, "A"),
        # the worst of the qualities: estimated before substituted before actual
        (
            {A: 1, B: 1},
            {A: part_day([1] * 4, quality="ASSE"), B: part_day([1] * 4, quality="AAES")},
            [2] * 4, None, "ASEE",
        ),
        # half hours: both must be there
        (
            {A: 1, B: 1},
            {A: part_day([10] * 3), B: part_day([1, 2, 3, M, 5, 6], minutes=30)},
            [13, M, 21], None, "A-A",
        ),
        # nothing stored of a part, nothing defined, and more than an interval can hold
        ({A: 1, B: 1}, {A: part_day([5])}, [M] * 24, None, "-" * 24),
        ({}, {}, [M] * 24, None, "-" * 24),
        (
            {A: 1, B: 1},
            {A: part_day([2**31 - 1, 2**31 - 1]), B: part_day([1, 0])},
            [M, 2**31 - 1], None, "-A",
        ),
    ],
)  # fmt: skip
def test_an_interval_of_a_sum(factors, parts, imported, exported, quality):
    flows = ("import",) if exported is None else ("import", "export")
    registers = {(id_, "import"): factor for id_, factor in factors.items()}
    days = {(id_, "import"): [day] for id_, day in parts.items()}
    summed = add_up("UTC", DAY, channels(*flows), registers, days)
    assert summed.values["import"][: len(imported)].tolist() == imported
    assert exported is None or summed.values["export"][: len(exported)].tolist() == exported
    assert summed.quality[: len(quality)].tobytes().decode() == quality
    assert [(part.meter_id, part.factor) for part in summed.parts] == list(factors.items())


def test_what_parts_brought_is_totalled_over_consecutive_days():
    def parts(*energies):
        return [
            SummedPart(id_, "import", 1, wh, 2) for id_, wh in zip((A, B), energies, strict=False)
        ]

    days = [(date(2025, 6, day), parts(*own)) for day, own in ((1, (5, 1)), (2, (6,)), (4, (7, 2)))]
    assert part_totals(days) == [
        PartTotal(A, "import", 1, date(2025, 6, 1), date(2025, 6, 3), 11, 4),
        PartTotal(B, "import", 1, date(2025, 6, 1), date(2025, 6, 2), 1, 2),
        PartTotal(A, "import", 1, date(2025, 6, 4), date(2025, 6, 5), 7, 2),
        PartTotal(B, "import", 1, date(2025, 6, 4), date(2025, 6, 5), 2, 2),
    ]


def network(definitions, **minutes):
    lengths = {A: 15, B: 60, C: 10} | minutes
    meters = {
        id_: Meter(id_, "main", "UTC", channels("import", minutes=m)) for id_, m in lengths.items()
    }
    derived = {id_: Meter(id_, "derived", "UTC", ()) for id_ in definitions}
    return MeterNetwork.of(meters | derived, definitions)


def test_a_sum_has_channels_by_all_of_its_definitions():
    inner = UUID(int=9)
    sums = network(
        {
            D: [Definition(None, (Term(A, 1, "import"), Term(inner, -1)))],
            inner: [
                Definition(None, (Term(B, 1, "import"), Term(A, 1, "import"))),
                Definition(DAY, (Term(B, -1, "import"),)),
            ],
        }
    )
    assert [(own.flow, own.minutes) for own in sums.channels(D)] == [("import", 60), ("export", 60)]


def test_each_sum_within_a_sum_is_defined_by_its_own_local_days():
    """14:00 UTC is still the day before in Honolulu, and already the next day in Auckland."""
    inner, at = UUID(int=9), datetime(2025, 6, 1, 14, tzinfo=UTC)
    changed = [Definition(None, (Term(A, 1),)), Definition(date(2025, 6, 2), (Term(B, 1),))]
    read = {id_: Meter(id_, "main", "UTC", channels("import")) for id_ in (A, B)}
    for zone, part in (("Pacific/Honolulu", A), ("Pacific/Auckland", B)):
        derived = {
            D: Meter(D, "derived", "UTC", ()),
            inner: Meter(inner, "derived", zone, ()),
        }
        sums = MeterNetwork.of(
            read | derived, {D: [Definition(None, (Term(inner, 1),))], inner: changed}
        )
        assert sums.factors(D, at) == {(part, "import"): 1}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ((Term(A, 1, "import"),), [("import", 15)]),
        ((Term(A, 1, "import"), Term(C, 1, "import")), [("import", 30)]),
        ((Term(A, 1, "import"), Term(C, -1, "import")), [("import", 30), ("export", 30)]),
        ((Term(A, 1, "export"),), []),
        ((Term(UUID(int=77), 1, "import"),), []),
        ((Term(D, 1),), []),  # the ledger refuses circles; here one never ends in anything
    ],
)
def test_the_channels_of_a_sum(terms, expected):
    sums = network({D: [Definition(None, terms)]})
    assert [(own.flow, own.minutes) for own in sums.channels(D)] == expected
