"""Sums of meters: the golden one, their definitions through time, their quality and circles."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.errors import Rejected
from gridtally.ledger.metering.analytics.domain.conservation import balance, balance_terms
from gridtally.ledger.metering.analytics.domain.consumption import consumption, value_at
from gridtally.ledger.metering.analytics.domain.definitions import (
    SUM_REGISTERS_MAX,
    Definition,
    InForce,
    Network,
    built_in,
    in_order,
    refuse_circle,
)
from gridtally.ledger.registry.domain.meters import Meter, Register
from gridtally.metering.curves import register_curve
from gridtally.metering.derived_meters import DEPTH_MAX, Term
from gridtally.metering.readings import RegisterReading

GOLDEN = {
    case["id"]: case
    for case in json.loads(
        (Path(__file__).parents[3] / "tests/golden/bills.json").read_text()
    )["cases"]
}  # fmt: skip
BEGIN = datetime(2025, 3, 1, tzinfo=UTC)
HOME = UUID(int=99)


def day(n):
    return BEGIN + timedelta(days=n)


def meter(n, meter_type="sub", *, flows=("import",)):
    registers = () if meter_type in ("derived", "unmetered") else tuple(Register(f) for f in flows)
    return Meter(UUID(int=n), HOME, meter_type, f"m{n}", (), registers)


def curve(*values, quality="actual"):
    """A curve with a reading a day; None is a day without."""
    return register_curve(
        [
            RegisterReading(day(n), day(n), "reading", Decimal(value), 9, Decimal(1), 3, quality)
            for n, value in enumerate(values)
            if value is not None
        ]
    )


def network(meters, **definitions):
    """Meters by number, and definitions by `m<number>=[(from day or None, {number: sign})]`."""
    return Network(
        {meter.id: meter for meter in meters},
        {
            UUID(int=int(name[1:])): [
                InForce(
                    None if n is None else day(n),
                    tuple(Term(UUID(int=id_), sign) for id_, sign in terms.items()),
                )
                for n, terms in versions
            ]
            for name, versions in definitions.items()
        },
    )


def register(n, flow="import"):
    return UUID(int=n), flow


GG, SG, TOTAL, REST = meter(1, "gg"), meter(2, "sg"), meter(3, "total"), meter(4, "unmetered")


def test_golden_derived_meter():
    case = GOLDEN["derived-meter"]
    curves = {register(n): curve(case[name]) for n, name in ((1, "gg"), (2, "sg"), (3, "total"))}
    terms = built_in([GG, SG, TOTAL, REST])
    net = Network({m.id: m for m in (GG, SG, TOTAL, REST)}, {REST.id: [InForce(None, terms)]})
    value = value_at(net.factors(REST.id, day(0)), curves, day(0))
    assert (str(value.kwh), value.quality) == (case["expect"]["unmetered"], "actual")


@pytest.mark.parametrize(
    ("gg", "n", "kwh", "quality", "missing"),
    [
        (("10", "20", "30"), 1, "80", "actual", []),
        (("10", None, "30"), 1, "80.000", "interpolated", []),
        (("10", "20"), 2, None, "missing", [1]),
        ((None, "20", "30"), 0, None, "missing", [1]),
        ((), 0, None, "missing", [1]),
    ],
)
def test_a_sum_is_known_where_all_its_inputs_are_and_no_better(gg, n, kwh, quality, missing):
    curves = {register(1): curve(*gg), register(3): curve(100, 100, 100)}
    value = value_at({register(3): 1, register(1): -1}, curves, day(n))
    assert (value.kwh, value.quality) == (kwh and Decimal(kwh), quality)
    assert value.missing == tuple(UUID(int=m) for m in missing)


def test_the_worst_input_gives_the_quality():
    curves = {register(1): curve(1, 2, quality="estimated"), register(2): curve(1, 2)}
    assert value_at({register(1): 1, register(2): 1}, curves, day(1)).quality == "estimated"


def test_definitions_hold_from_their_day_and_the_later_version_of_one_day_counts():
    versions = [
        Definition(1, date(2025, 3, 5), (Term(GG.id, 1),)),
        Definition(2, date(2025, 3, 3), (Term(SG.id, 1),)),
        Definition(3, date(2025, 3, 5), (Term(TOTAL.id, 1),)),
    ]
    begin = {date(2025, 3, 1 + n): day(n) for n in range(9)}
    in_force = in_order(versions, begin, [GG, SG, TOTAL], "unmetered")
    net = Network({m.id: m for m in (GG, SG, TOTAL, REST)}, {REST.id: in_force})
    for n, expected in ((0, {1: -1, 2: -1, 3: 1}), (2, {2: 1}), (3.9, {2: 1}), (4, {3: 1})):
        factors = net.factors(REST.id, day(n))
        assert factors == {register(m): sign for m, sign in expected.items()}, n
    assert net.changes(day(0), day(9)) == [day(2), day(4)]
    [only] = in_order(versions[:1], begin, [GG], "derived")
    assert only.from_at == day(4)
    with pytest.raises(Rejected, match="no definition"):
        Network({REST.id: REST}, {REST.id: [only]}).factors(REST.id, day(1))


def test_consumption_follows_the_definition_of_each_day():
    curves = {register(1): curve(0, 10, 20, 30), register(2): curve(0, 1, 2, 3)}
    derived = meter(5, "derived")
    net = network([GG, SG, derived], m5=[(None, {1: 1}), (1, {1: 1, 2: -1}), (2, {2: 1})])
    counted = consumption(net, derived.id, curves, (day(0), day(3)))
    assert (counted.kwh, counted.complete, counted.quality) == (10 + 9 + 1, True, "actual")


def test_where_readings_cover_a_part_the_count_is_of_that_part():
    curves = {register(1): curve(None, 10, 20, 30)}
    net = network([GG])
    counted = consumption(net, GG.id, curves, (day(0), day(2)), "import")
    assert (counted.kwh, counted.complete) == (10, False)
    assert (counted.begin_at, counted.end_at) == (day(1), day(2))
    nothing = consumption(net, GG.id, curves, (day(-2), day(0)), "import")
    assert (nothing.kwh, nothing.quality, nothing.complete) == (None, "missing", False)


def test_sums_of_sums_come_down_to_registers():
    net = network(
        [GG, SG, meter(5, "derived"), meter(6, "derived")],
        m5=[(None, {1: 1, 2: -1})],
        m6=[(None, {5: -1, 1: 1})],
    )
    assert net.factors(UUID(int=6), BEGIN) == {register(1): 0, register(2): 1}


def test_circles_are_refused_however_long():
    derived = [meter(n, "derived") for n in range(1, 5)]
    net = network(derived, m1=[(None, {2: 1})], m2=[(None, {3: 1}), (5, {4: 1})], m3=[], m4=[])
    for start in (1, 2, 4):
        with pytest.raises(Rejected, match="its own input"):
            refuse_circle(UUID(int=4), [Term(UUID(int=start), 1)], net)
    refuse_circle(UUID(int=4), [Term(UUID(int=3), 1)], net)
    deep = {f"m{n}": [(None, {n + 1: 1})] for n in range(1, DEPTH_MAX + 3)}
    with pytest.raises(Rejected, match="deep"):
        network([meter(n, "derived") for n in range(1, DEPTH_MAX + 5)], **deep).factors(
            UUID(int=1), BEGIN
        )


def test_a_sum_is_bounded_and_its_inputs_exist():
    many = [meter(n) for n in range(1, SUM_REGISTERS_MAX + 2)]
    derived = meter(9_999, "derived")
    net = network([*many, derived], m9999=[(None, {m.id.int: 1 for m in many})])
    with pytest.raises(Rejected, match="at most"):
        net.factors(derived.id, BEGIN)
    with pytest.raises(Rejected, match="no longer"):
        network([derived], m9999=[(None, {1: 1})]).factors(derived.id, BEGIN)
    bare = meter(7, flows=())
    with pytest.raises(Rejected, match="no register"):
        network([derived, bare], m9999=[(None, {7: 1})]).factors(derived.id, BEGIN)


series = st.lists(st.integers(0, 10**6), min_size=3, max_size=3)


@given(st.lists(st.tuples(st.sampled_from([1, -1]), series), min_size=1, max_size=6))
def test_a_sum_counts_what_its_inputs_count_with_their_signs(inputs):
    """Against adding the columns up by hand, over a change of the definition in between."""
    meters = [meter(n) for n in range(1, len(inputs) + 1)]
    values = [[sum(added[: n + 1]) for n in range(3)] for _, added in inputs]
    curves = {register(n): curve(*shown) for n, shown in enumerate(values, start=1)}
    signs = {n: sign for n, (sign, _) in enumerate(inputs, start=1)}
    flipped = {n: -sign for n, sign in signs.items()}
    derived = meter(50, "derived")
    net = network([*meters, derived], m50=[(None, signs), (1, flipped)])
    counted = consumption(net, derived.id, curves, (day(0), day(2)))
    pairs = list(zip(signs.values(), values, strict=True))
    by_hand = sum(s * (v[1] - v[0]) for s, v in pairs) - sum(s * (v[2] - v[1]) for s, v in pairs)
    assert counted.kwh == by_hand
    value = value_at(net.factors(derived.id, day(2)), curves, day(2))
    assert value.kwh == -sum(s * v[2] for s, v in pairs)


def test_the_balance_of_a_node():
    main, solar = meter(1, "main", flows=("export", "import")), meter(2, "solar", flows=("load",))
    subs = [meter(n, "sub") for n in (3, 4)]
    sides = balance_terms(
        [main, solar, *subs, meter(5, "total")], [[meter(6, "total"), meter(7, "gg")]]
    )
    assert [(s.side, s.meter.id.int, s.sign, s.flow) for s in sides] == [
        ("supplied", 1, 1, "import"), ("supplied", 1, -1, "export"), ("supplied", 2, 1, "load"),
        ("metered", 3, 1, "import"), ("metered", 4, 1, "import"), ("metered", 6, 1, "import"),
    ]  # fmt: skip
    used = [100, 5, 25, 60, 20, 30]
    curves = {(s.meter.id, s.flow): curve(0, u) for s, u in zip(sides, used, strict=True)}
    net = Network({s.meter.id: s.meter for s in sides}, {})
    window = (day(0), day(1))
    counted = [(s, consumption(net, s.meter.id, curves, window, s.flow)) for s in sides]
    known = balance(counted)
    assert (known.supplied_kwh, known.metered_kwh, known.unaccounted_kwh) == (120, 110, 10)
    assert known.unaccounted_percent == Decimal("8.33")
    assert [known.ok(Decimal(most)) for most in ("8.3", "8.4")] == [False, True]
    partly = [(s, consumption(net, s.meter.id, curves, (day(0), day(2)), s.flow)) for s in sides]
    unknown = balance(partly)
    assert (unknown.unaccounted_kwh, unknown.ok(Decimal(10))) == (None, None)
