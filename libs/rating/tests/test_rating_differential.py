"""The engine against a second, naive one, on random tariffs and usage."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.money import EXACT
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import add_up, rate
from gridtally.rating.tariff import Part
from gridtally.rating.usage import Usage, slots_in
from naive.charges import naive_bill

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
CLOCK_CHANGES = (date(2025, 3, 9), date(2025, 3, 30), date(2025, 4, 6), date(2025, 10, 26))
LAST_PLACE = Fraction(1, 10**20)
DATED = ("fixed", "energy", "adjustment")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# --- random tariffs and usage ---------------------------------------------------------------------

rates = st.decimals("-1", "10", places=5).map(str)
CALENDAR_DAY_TYPES = [
    {"name": "workday", "weekdays": WEEKDAYS[:5], "holidays": "excluded"},
    {"name": "restday", "weekdays": WEEKDAYS[5:], "holidays": "included"},
]


@st.composite
def calendars(draw, period):
    starts = draw(st.lists(st.dates(date(2025, 1, 1), date(2025, 12, 31)), max_size=2, unique=True))
    starts = sorted({date(2025, 1, 15), period.start_on + timedelta(days=1), *starts})
    return {
        "seasons": [
            {"name": f"season-{n}", "start": start.isoformat()[5:]}
            for n, start in enumerate(starts)
        ],
        "day_types": CALENDAR_DAY_TYPES,
        "holidays": {"dates": [day.isoformat() for day in period.dates() if draw(st.booleans())]},
    }


@st.composite
def times_of_use(draw, calendar, step):
    """Windows between random edges around the clock: each set of days has its own."""
    bands = [{"name": f"band-{n}", "rate": draw(rates)} for n in range(3)]
    seasons = [season["name"] for season in calendar["seasons"]]
    windows = []
    for season in seasons:
        for day_type in ("workday", "restday"):
            edges = draw(st.lists(st.integers(0, 1440 // step - 1), max_size=5, unique=True))
            clock = [f"{e * step // 60:02}:{e * step % 60:02}" for e in sorted(edges)]
            windows += [
                {
                    "band": f"band-{draw(st.integers(0, 1))}",
                    "from_time": start,
                    "to_time": end,
                    "seasons": [season],
                    "day_types": [day_type],
                }
                for start, end in zip(clock, clock[1:] + clock[:1], strict=True)
                if start != end and draw(st.booleans())
            ]
    used = {window["band"] for window in windows} | {"band-2"}
    return {
        "kind": "time_of_use",
        "bands": [band for band in bands if band["name"] in used],
        "windows": windows,
        "default_band": "band-2",
        "flow": draw(st.sampled_from(["import", "export"])),
    }


@st.composite
def spans(draw, period):
    """From a day to a day, each of which may be missing."""
    days = st.one_of(st.none(), st.sampled_from(period.dates()).map(date.isoformat))
    from_on, to_on = draw(days), draw(days)
    return {
        "from_on": None if from_on and to_on and from_on >= to_on else from_on,
        "to_on": to_on,
    }


@st.composite
def documents(draw, zone, period, step):
    calendar = draw(calendars(period))
    per_kwh = st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["energy", "adjustment"]),
            "rate": rates,
            "flow": st.sampled_from(["import", "export"]),
        }
    )
    standing = st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["fixed", "capacity"]),
            "rate": rates,
            "per": st.sampled_from(["day", "month"]),
            "proration": st.sampled_from(
                ["actual_days", "thirty_days", "year_over_twelve", "none"]
            ),
        }
    )
    charges = draw(
        st.lists(st.one_of(per_kwh, standing, times_of_use(calendar, step)), min_size=1, max_size=5)
    )
    charges = [
        charge | {"id": f"c{n}", "tax_class": draw(st.sampled_from([None, "a"]))}
        for n, charge in enumerate(charges)
    ]
    charges = [
        charge | (draw(spans(period)) if charge["kind"] in DATED else {}) for charge in charges
    ]
    taxes = []
    for n in range(draw(st.integers(0, 2))):
        by_class = any(charge["tax_class"] for charge in charges) and draw(st.booleans())
        taxes.append(
            {
                "kind": "tax",
                "id": f"t{n}",
                "rate": draw(st.decimals("0", "1", places=4).map(str)),
                "component_ids": [] if by_class else [draw(st.sampled_from(charges))["id"]],
                "tax_class": "a" if by_class else None,
                **draw(spans(period)),
            }
        )
    rounding = {
        "mode": draw(st.sampled_from(["half_even", "half_up", "down", "up"])),
        "decimals": draw(st.integers(0, 4)),
        "per": draw(st.sampled_from(["line", "invoice"])),
    }
    return {
        "currency": "EUR",
        "zone": zone,
        "calendar": calendar,
        "rounding": rounding,
        "components": charges + taxes,
    }


@st.composite
def cases(draw):
    """(Period, document) pairs that fill a period, and the usages of three meters in it."""
    zone = draw(st.sampled_from(ZONES))
    minutes = draw(st.sampled_from([15, 30, 60]))
    assume(minutes < 60 or zone != "Australia/Lord_Howe")
    start_on = draw(st.sampled_from(CLOCK_CHANGES)) - timedelta(days=draw(st.integers(0, 8)))
    period = Period(start_on, start_on + timedelta(days=draw(st.integers(2, 9))))
    cut = draw(st.sampled_from([period.end_on, *period.dates()[1:]]))
    parts = [Period(start_on, cut)]
    if cut < period.end_on:
        parts.append(Period(cut, period.end_on))
    seed = draw(st.integers(0, 2**32))
    random = np.random.default_rng(seed)
    usages = [
        Usage(
            zone,
            period,
            minutes,
            {
                flow: random.integers(0, 10**6, slots_in(zone, period, minutes))
                for flow in ("import", "export")
            },
            draw(st.decimals(0, 100, places=3)),
        )
        for _ in range(3)
    ]
    return [(part, draw(documents(zone, part, minutes))) for part in parts], usages


def parts_of(documents):
    return [
        Part(part, tariff_version(UUID(int=n), document))
        for n, (part, document) in enumerate(documents)
    ]


def amounts_of(bill):
    return {
        (line.item.part, line.item.component_id, line.item.band): line.amount_exact
        for line in bill.lines
        if line.item.component_id != "rounding"
    }


@examples(100)
@given(cases())
def test_the_engine_agrees_with_the_naive_one_to_the_last_digit(case):
    documents, usages = case
    amounts = amounts_of(rate(parts_of(documents), usages)[0])
    naive = {key: shown(x) for key, x in naive_bill(documents, usages[0]).items()}
    lines_of_nothing = {key: Decimal(0) for key in naive.keys() | amounts.keys()}
    assert lines_of_nothing | amounts == lines_of_nothing | naive


def shown(amount):
    """A fraction as the decimal that a line shows: to 20 places where it is not finite."""
    return Decimal(round(amount * 10**20)).scaleb(-20, context=EXACT)


@examples(60)
@given(cases())
def test_lines_add_up_to_the_total(case):
    documents, usages = case
    parts = parts_of(documents)
    for bill in rate(parts, usages):
        assert add_up(line.amount for line in bill.lines) == bill.total == bill.net + bill.tax
        assert add_up(bill.totals().values()) == bill.total
        for line in bill.lines:
            product = Fraction(line.quantity) * Fraction(line.item.rate)
            assert abs(product - Fraction(line.amount_exact)) <= LAST_PLACE * (
                1 + abs(Fraction(line.item.rate))
            )
        if {part.version.rounding.per for part in parts} == {"invoice"}:
            exact = add_up(bill.totals_exact().values())
            assert bill.total == parts[-1].version.rounding.round(exact)


@examples(40)
@given(cases(), st.permutations(range(3)))
def test_the_order_and_company_of_meters_change_nothing(case, order):
    documents, usages = case
    parts = parts_of(documents)
    bills = rate(parts, usages)
    assert rate(parts, [usages[index] for index in order]) == [bills[index] for index in order]
    assert [rate(parts, [usage])[0] for usage in usages] == bills


@examples(60)
@given(cases(), st.data())
def test_splitting_a_period_changes_no_exact_amount(case, data):
    documents, usages = case
    whole = usages[0].period
    (_, document), cut = documents[0], data.draw(st.sampled_from(whole.dates()[1:]))
    assume(all(charge.get("proration") != "none" for charge in document["components"]))
    version = tariff_version(UUID(int=1), document)
    pieces = [Period(whole.start_on, cut), Period(cut, whole.end_on)]
    expected = exact_by_component([rate(version, usages[:1])[0]])
    separate = [rate(version, [piece_of(usages[0], piece)])[0] for piece in pieces]
    together = rate([Part(piece, version) for piece in pieces], usages[:1])
    for split in (separate, together):
        amounts = exact_by_component(split)
        for key in amounts.keys() | expected.keys():
            difference = amounts.get(key, 0) - expected.get(key, 0)
            assert abs(difference) <= (0 if finite(document) else 8 * LAST_PLACE)


def finite(document):
    """Whether no charge is a share of a month, which may have no finite decimal."""
    return all(charge.get("per") != "month" for charge in document["components"])


def piece_of(usage, piece):
    before = (
        slots_in(usage.zone, Period(usage.period.start_on, piece.start_on), usage.minutes)
        if usage.period.start_on < piece.start_on
        else 0
    )
    slots = slots_in(usage.zone, piece, usage.minutes)
    series = {flow: values[before : before + slots] for flow, values in usage.series.items()}
    return Usage(usage.zone, piece, usage.minutes, series, usage.connected_kw)


def exact_by_component(bills):
    amounts = defaultdict(list)
    for bill in bills:
        for line in bill.lines:
            amounts[line.item.component_id, line.item.band].append(line.amount_exact)
    amounts.pop(("rounding", None), None)
    return {key: Fraction(add_up(parts)) for key, parts in amounts.items()}
