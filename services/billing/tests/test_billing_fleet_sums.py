"""Which meters of a fleet count, with derived ones among them: whatever is agreed, no energy is
counted by its site that something else counts, on any day."""

from datetime import date, timedelta
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from doubles.billing.events import agreement
from gridtally.billing.domain.fleet_costs.counted import count_fleet
from gridtally.billing.domain.fleet_costs.devices import Catalogue, FleetMeter
from gridtally.billing.domain.recorded_usage import RecordedUsage
from gridtally.billing.domain.summed_usage import add_up
from gridtally.kernel.periods import Period
from gridtally.metering.derived_meters import Definition, Network, Term
from gridtally.rating.usage import MISSING

CITY, OTHER, SITE, ELSEWHERE = (UUID(int=number) for number in range(1, 5))
MAIN, FLAT, SHOP, PUMP, WELL, FIRST, SECOND = (UUID(int=number) for number in range(11, 18))
WEEK = Period(date(2025, 3, 10), date(2025, 3, 17))
ATOMS = {
    MAIN: (1, 1, 1, 0, 0),
    FLAT: (0, 1, 0, 0, 0),
    SHOP: (0, 0, 1, 0, 0),
    PUMP: (0, 0, 0, 1, 0),
    WELL: (0, 0, 0, 0, 1),
}
"""What each meter measures: the rest of the house, its flat, its shop; and two elsewhere."""
SUMS = (
    ((MAIN,), (FLAT,)), ((MAIN,), (FLAT, SHOP)), ((MAIN,), ()), ((FLAT, SHOP), ()),
    ((PUMP,), ()), ((PUMP, WELL), ()), ((MAIN, PUMP), (FLAT,)), ((WELL,), (PUMP,)),
)  # fmt: skip
days = st.integers(0, 7).map(lambda number: WEEK.start_on + timedelta(days=number))
definitions = st.lists(
    st.tuples(days, st.sampled_from(SUMS)), min_size=1, max_size=2, unique_by=lambda own: own[0]
)
agreements = st.lists(
    st.tuples(st.sampled_from((*ATOMS, FIRST, SECOND)), st.sampled_from((CITY, OTHER)), days, days),
    max_size=4,
)


def definition(from_on, added, left_out):
    signed = [(part, 1) for part in added] + [(part, -1) for part in left_out]
    return Definition(from_on, tuple(Term(part, sign, "import") for part, sign in signed))


def meter(meter_id):
    types = {MAIN: "main", FIRST: "derived", SECOND: "derived"}
    return FleetMeter(
        id=meter_id,
        name=str(meter_id),
        meter_type=types.get(meter_id, "sub"),
        property_id=SITE,
        region_id=None,
        is_own_site=True,
        is_measured=True,
    )


def fleet(defined, agreed):
    own_agreements = {}
    for meter_id, customer_id, start_on, end_on in agreed:
        own = own_agreements.setdefault(meter_id, [])
        fresh = agreement(tariff_id=CITY, meter_id=meter_id, start_on=start_on,
                          end_on=max(start_on, end_on))  # fmt: skip
        own.append(replace_customer(fresh, customer_id))
    network = Network(
        dict.fromkeys(ATOMS, frozenset({"import"})),
        {
            meter_id: [definition(from_on, *terms) for from_on, terms in sorted(own)]
            for meter_id, own in defined.items()
        },
    )
    return Catalogue(CITY, own_agreements, {}, {}, {}, network)


def replace_customer(agreement, customer_id):
    return type(agreement)(
        **{name: getattr(agreement, name) for name in agreement.__slots__}
        | {"customer_id": customer_id}
    )


def counted_on(catalogue):
    """The fleet: the meters at the site, and those elsewhere that have an agreement."""
    at_site = [meter(own) for own in (MAIN, FLAT, SHOP, FIRST, SECOND)]
    elsewhere = [own for own in (PUMP, WELL) if own in catalogue.agreements]
    meters = at_site + [
        FleetMeter(own, str(own), "sub", ELSEWHERE, None, is_own_site=False, is_measured=True)
        for own in elsewhere
    ]
    return count_fleet(meters, catalogue, WEEK)


def factors_on(catalogue, device, day):
    """What prices a device on a day, and what it adds and subtracts then."""
    [source] = [source for run, source in device.assignment if day in run]
    if not device.meter.is_derived:
        return source, {(device.meter.id, "import"): 1}
    own = [factors for run, factors in device.sums(catalogue.network, WEEK) if day in run]
    assert len(own) <= 1
    return source, own[0] if own else {}


def counted_atoms(catalogue, day):
    """How often each atom is counted on a day, by the customer's agreements and by the site."""
    agreed, by_site = np.zeros(5, int), np.zeros(5, int)
    for device in counted_on(catalogue).devices:
        source, factors = factors_on(catalogue, device, day)
        atoms = sum((factor * np.array(ATOMS[id_]) for (id_, _), factor in factors.items()),
                    start=np.zeros(5, int))  # fmt: skip
        if source == "none_in_force":
            agreed += atoms
        elif source == "no_region":
            by_site += atoms
    return agreed, by_site


@given(first=definitions, second=definitions, agreed=agreements, day=days.filter(WEEK.__contains__))
def test_nothing_is_counted_by_its_site_that_is_counted_elsewhere(first, second, agreed, day):
    own, by_site = counted_atoms(fleet({FIRST: first, SECOND: second}, agreed), day)
    assert (by_site <= 1).all()
    assert not ((by_site > 0) & (own > 0)).any()


@given(first=definitions, second=definitions, agreed=agreements, day=days.filter(WEEK.__contains__))
def test_nothing_that_a_sum_adds_is_missing_without_a_word(first, second, agreed, day):
    catalogue = fleet({FIRST: first, SECOND: second}, agreed)
    counted = counted_on(catalogue)
    there = {MAIN, FLAT, SHOP} | {
        meter_id
        for meter_id, own in catalogue.agreements.items()
        if any(day in agreement for agreement in own)
    }
    for device in counted.devices:
        source, factors = factors_on(catalogue, device, day)
        there |= {own for (own, _), factor in factors.items() if source and factor > 0}
    left_out = {own.meter.id for own in counted.not_counted if day in own.days}
    assert not left_out & there
    for meter_id in {FIRST, SECOND} - there - left_out:
        for run, factors in catalogue.network.parts(meter_id, WEEK):
            if day in run:
                assert {own for (own, _), factor in factors.items() if factor > 0} <= there


@given(first=definitions, second=definitions, day=days.filter(WEEK.__contains__))
def test_without_agreements_all_of_a_site_counts_once(first, second, day):
    _, by_site = counted_atoms(fleet({FIRST: first, SECOND: second}, []), day)
    assert list(by_site[:3]) == [1, 1, 1]


def test_a_sum_is_there_where_all_of_its_parts_are():
    """Berlin's night of 25 hours in quarter hours and UTC's hours: 4 × 5 − 2 an hour, and export
    where more is subtracted."""
    day = Period(date(2025, 10, 26), date(2025, 10, 27))
    quarters = np.full(100, 5, np.int32)
    quarters[3] = MISSING
    usages = {
        MAIN: RecordedUsage("Europe/Berlin", {"import": 15}, {"import": {day.start_on: quarters}}),
        FLAT: RecordedUsage(
            "UTC",
            {"import": 60},
            {"import": {date(2025, 10, 25): np.full(24, 2, np.int32),
                        date(2025, 10, 26): np.full(24, 23, np.int32)}},
        ),
    }  # fmt: skip
    factors = {(MAIN, "import"): 1, (FLAT, "import"): -1}
    minutes, series = add_up("Europe/Berlin", day, factors, usages)
    assert minutes == 60
    assert list(series["import"][:3]) == [MISSING, 18, 0]
    assert list(series["export"][:3]) == [MISSING, 0, 3]
    assert len(series["import"]) == 25
