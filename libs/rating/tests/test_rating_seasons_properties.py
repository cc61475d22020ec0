"""A bill over a change of seasons is the sum of its parts by days, whatever is charged by band."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.quote import rate_in_sequence
from gridtally.rating.usage import ConnectedChange, Usage, slots_in

ZONE = "Europe/Berlin"
SEASONS = ("winter", "spring", "summer")
LAST_PLACES = Decimal("1E-16")

rates = st.decimals("0", "10", places=5).map(str)


@st.composite
def tiers(draw, most):
    steps = draw(st.lists(st.integers(1, most), max_size=2))
    limits = [str(Decimal(sum(steps[: n + 1])).scaleb(-2)) for n in range(len(steps))]
    return [{"limit": limit, "rate": draw(rates)} for limit in limits] + [{"rate": draw(rates)}]


@st.composite
def windows(draw, edges=st.integers(0, 23)):  # noqa: B008 - a strategy is a value
    """One or two bands for each season, none of which another season has."""
    bands, windows = [], []
    for season in SEASONS:
        edge = draw(edges)
        for start, end in [(0, edge), (edge, 24)] if edge else [(0, 24)]:
            bands.append(f"{season}-{start}")
            times = {"from_time": f"{start:02}:00", "to_time": f"{end:02}:00"}
            windows.append({"band": bands[-1], "seasons": [season], **times})
    return bands, windows


@st.composite
def tiered(draw):
    bands, when = draw(windows())
    kw = draw(st.sampled_from([None, None, "connected", "peak"]))
    mode = draw(st.sampled_from(["graduated", "graduated", "volume"]))
    splits = ["per_band", "pro_rata", *(["chronological"] if mode == "graduated" else [])]
    return {
        "kind": "tiered_time_of_use",
        "id": "e",
        "split": draw(st.sampled_from(splits)),
        "mode": mode,
        "bands": [{"name": name, "tiers": draw(tiers(2_000))} for name in bands],
        "windows": when,
        "limits": {
            "per": draw(st.sampled_from(["day", "month"])),
            "proration": draw(st.sampled_from(["actual_days", "thirty_days", "year_over_twelve"])),
            "kw": kw,
            "peak_minutes": 60 if kw == "peak" else None,
        },
    }


@st.composite
def demand(draw):
    bands, when = draw(windows())
    per = draw(st.sampled_from(["day", "month", "year"]))
    return {
        "kind": "demand",
        "id": "d",
        "minutes": 60,
        "bands": [{"name": name, "tiers": draw(tiers(5_000))} for name in bands],
        "windows": when,
        "mean_of_highest_days": draw(st.sampled_from([1, 1, 2, 7])),
        "minimum_kw": draw(st.sampled_from(["0", "1.5", "30"])),
        "kw_step": draw(st.sampled_from([None, "0.7", "7"])),
        "per": per,
        "proration": draw(st.sampled_from(["actual_days", "thirty_days", "year_over_twelve"])),
    }


@st.composite
def netting(draw):
    """Bands that fill tiers together: those of the seasons, and one that may last all year."""
    lasts = draw(st.booleans())
    bands, when = draw(windows(st.integers(1, 23)) if lasts else windows())
    if lasts:  # the first hours of every season are one band of all of them
        for season in SEASONS[1:]:
            bands.remove(f"{season}-0")
        when = [window | {"band": "winter-0"} if window["from_time"] == "00:00" else window
                for window in when]  # fmt: skip
    bank = {"kind": "carry_forward", "max_kwh_per_month": draw(st.sampled_from([None, "2.5"]))}
    paid = draw(st.booleans())
    kw = draw(st.sampled_from([None, None, "connected", "peak"]))
    return {
        "kind": "net_metering",
        "id": "n",
        "split": "pro_rata",
        "bands": [{"name": name, "tiers": draw(tiers(2_000))} for name in bands],
        "windows": when,
        "cross_band": draw(st.sampled_from(["none", "later", "any"])) if len(bands) > 1 else "none",
        "surplus": {"kind": "payout"} if paid else bank,
        "surplus_rate": draw(rates) if paid else None,
        "limits": {
            "per": draw(st.sampled_from(["day", "month"])),
            "proration": draw(st.sampled_from(["actual_days", "thirty_days", "year_over_twelve"])),
            "kw": kw,
            "peak_minutes": 60 if kw == "peak" else None,
        },
    }


@st.composite
def cases(draw, charge):
    """A charge, a meter, and the days on which the seasons begin within the bill."""
    start_on = date(2025, 3, 1) + timedelta(days=draw(st.integers(0, 60)))
    period = Period(start_on, start_on + timedelta(days=draw(st.integers(3, 62))))
    inside = period.dates()[1:]
    cuts = sorted(draw(st.lists(st.sampled_from(inside), min_size=1, max_size=2, unique=True)))
    starts = [date(2025, 1, 1), *cuts, *[date(2025, 11, 1)] * (2 - len(cuts))]
    seasons = [
        {"name": name, "start": f"{day:%m-%d}"} for name, day in zip(SEASONS, starts, strict=True)
    ]
    version = tariff_version(
        UUID(int=1),
        {
            "currency": "EUR",
            "zone": ZONE,
            "calendar": {"seasons": seasons},
            "components": [draw(charge())],
        },
    )
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    most, slots = draw(st.sampled_from([3, 2_000, 40_000])), slots_in(ZONE, period, 60)
    series = {flow: random.integers(0, most, slots) for flow in ("import", "export")}
    usage = Usage(ZONE, period, 60, series, Decimal(draw(st.integers(0, 9))))
    if draw(st.booleans()):
        change = ConnectedChange(draw(st.sampled_from(inside)), Decimal(draw(st.integers(0, 9))))
        usage = replace(usage, connected_changes=(change,))
    return version, usage, cuts


def pieces(usage, cuts):
    """The usage in pieces that begin on these days."""
    first = 0
    edges = [usage.period.start_on, *cuts, usage.period.end_on]
    for start_on, end_on in pairwise(edges):
        period = Period(start_on, end_on)
        last = first + slots_in(usage.zone, period, usage.minutes)
        series = {flow: values[first:last] for flow, values in usage.series.items()}
        kw = usage.connected_kw
        for change in usage.connected_changes:
            kw = change.connected_kw if change.from_on <= start_on else kw
        changes = tuple(
            change for change in usage.connected_changes if start_on < change.from_on < end_on
        )
        yield Usage(usage.zone, period, usage.minutes, series, kw, connected_changes=changes)
        first = last


def rows(bills):
    """The lines that come to anything, by component, band and days."""
    return {
        (line.item.component_id, line.item.band, line.item.part): (line.quantity, line.amount_exact)
        for bill in bills
        for line in bill.lines
        if line.quantity
    }


@examples(60)
@given(cases(tiered))
def test_tiers_are_the_sum_of_their_parts_and_no_energy_is_lost(case):
    version, usage, cuts = case
    (bill,) = rate(version, [usage])
    assert rows([bill]) == rows(rate(version, [piece])[0] for piece in pieces(usage, cuts))
    energy = Decimal(int(usage.series["import"].sum())).scaleb(-3)
    assert abs(sum(line.quantity for line in bill.lines) - energy) < LAST_PLACES


@examples(60)
@given(cases(demand))
def test_demand_is_the_sum_of_its_parts(case):
    version, usage, cuts = case
    (bill,) = rate(version, [usage])
    assert rows([bill]) == rows(rate(version, [piece])[0] for piece in pieces(usage, cuts))


@examples(60)
@given(cases(netting))
def test_netting_in_tiers_is_the_sum_of_its_parts_with_the_bank_between_them(case):
    version, usage, cuts = case
    (bill,) = rate(version, [usage])
    by_season = rate_in_sequence(version, [*pieces(usage, cuts)])

    def shown(bills):
        return [
            (line.item.band, line.item.kind, line.item.flow, line.item.part, line.quantity,
             line.amount_exact)
            for bill in bills
            for line in bill.lines
            if line.quantity
        ]  # fmt: skip

    assert shown([bill]) == shown(by_season)
    assert bill.state == by_season[-1].state
