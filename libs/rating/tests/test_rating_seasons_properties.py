"""A bill over a change of seasons is the sum of its parts by days, whatever is charged by band.

By the other rules it is the bill of a year of one season: of the longest, or of each by itself.
"""

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
from gridtally.rating.calendar import Calendar, Season
from gridtally.rating.components.demand.charge import Demand
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
    return {
        "kind": "net_metering",
        "id": "n",
        "split": "pro_rata",
        "bands": [{"name": name, "tiers": draw(tiers(2_000))} for name in bands],
        "windows": when,
        "cross_band": draw(st.sampled_from(["none", "later", "any"])) if len(bands) > 1 else "none",
        "surplus": {"kind": "payout"} if paid else bank,
        "surplus_rate": draw(rates) if paid else None,
        "limits": draw(net_limits()),
    }


@st.composite
def netting_by_band(draw):
    """Bands that fill tiers of their own, none of which another season has."""
    bands, when = draw(windows())
    return {
        "kind": "net_metering",
        "id": "n",
        "split": "per_band",
        "bands": [{"name": name, "tiers": draw(tiers(2_000))} for name in bands],
        "windows": when,
        "surplus": {"kind": "payout"},
        "surplus_rate": draw(rates),
        "limits": draw(net_limits()),
    }


@st.composite
def sold(draw):
    bands, when = draw(windows())
    return {
        "kind": "export_credit",
        "id": "s",
        "split": draw(st.sampled_from(["per_band", "pro_rata", "chronological"])),
        "bands": [{"name": name, "tiers": draw(tiers(2_000))} for name in bands],
        "windows": when,
        "surplus": {"kind": "payout"},
        "limits": draw(net_limits()),
    }


@st.composite
def net_limits(draw):
    kw = draw(st.sampled_from([None, None, "connected", "peak"]))
    return {
        "per": draw(st.sampled_from(["day", "month"])),
        "proration": draw(st.sampled_from(["actual_days", "thirty_days", "year_over_twelve"])),
        "kw": kw,
        "peak_minutes": 60 if kw == "peak" else None,
    }


@st.composite
def cases(draw, charge, returns=st.booleans()):  # noqa: B008 - a strategy is a value
    """A charge, a meter, and the days on which the seasons begin within the bill; where the first
    `returns`, the bill begins and ends in it."""
    start_on = date(2025, 3, 1) + timedelta(days=draw(st.integers(0, 60)))
    period = Period(start_on, start_on + timedelta(days=draw(st.integers(4, 62))))
    inside = period.dates()[1:]
    sizes = {"min_size": 3, "max_size": 3} if draw(returns) else {"min_size": 1, "max_size": 2}
    cuts = sorted(draw(st.lists(st.sampled_from(inside), unique=True, **sizes)))
    if len(cuts) == len(SEASONS):
        starts = [cuts[2], cuts[0], cuts[1]]
    else:
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
    assert shown([bill]) == shown(by_season)
    assert bill.state == by_season[-1].state


@examples(40)
@given(cases(sold))
def test_what_is_sold_in_tiers_is_the_sum_of_its_parts(case):
    version, usage, cuts = case
    (bill,) = rate(version, [usage])
    assert rows([bill]) == rows(rate(version, [piece])[0] for piece in pieces(usage, cuts))
    energy = Decimal(int(usage.series["export"].sum())).scaleb(-3)
    assert abs(sum(line.quantity for line in bill.lines) - energy) < LAST_PLACES


@examples(40)
@given(cases(netting_by_band, returns=st.just(False)))
def test_bands_that_fill_their_own_tiers_are_the_sum_of_their_seasons(case):
    """Their lines are for all days; where a season returns, both its stretches are one netting."""
    version, usage, cuts = case
    (bill,) = rate(version, [usage])
    of_pieces = [rate(version, [piece])[0] for piece in pieces(usage, cuts)]
    assert by_label([bill]) == by_label(of_pieces)


def any_charge():
    return st.one_of(tiered(), demand(), netting(), netting_by_band(), sold())


@examples(80)
@given(cases(any_charge))
def test_most_days_make_the_bill_of_a_year_of_their_season(case):
    version, usage, _ = case
    seasons = [version.calendar.season_of(day) for day in usage.period.dates()]
    longest = max(seasons, key=seasons.count)  # of two with as many days the earlier
    (bill,) = rate(by_rule(version, "most_days"), [usage])
    (expected,) = rate(year_of(version, longest), [usage])
    assert shown([bill]) == shown([expected])
    assert bill.state == expected.state


@examples(40)
@given(cases(lambda: st.one_of(tiered(), netting_by_band(), sold())))
def test_each_in_full_is_each_season_by_itself_with_the_limits_of_all_days(case):
    """What is used in another season counts as nothing then: bands fill tiers of their own."""
    version, usage, _ = case
    (component,) = version.components
    limits = replace(component.limits, kw=None, peak_minutes=None)
    version = replace(version, components=(replace(component, split="per_band", limits=limits),))
    (bill,) = rate(by_rule(version, "each_in_full"), [usage])
    alone = []
    for season in SEASONS:
        days = [version.calendar.season_of(day) == season for day in usage.period.dates()]
        own = np.repeat(days, [slots_of(day) for day in usage.period.dates()])
        series = {flow: np.where(own, wh, 0) for flow, wh in usage.series.items()}
        alone += rate(year_of(version, season), [replace(usage, series=series)])
    assert by_label([bill]) == by_label(alone)


def by_rule(version, rule):
    (component,) = version.components
    if isinstance(component, Demand):
        return replace(version, components=(replace(component, on_season_change=rule),))
    limits = replace(component.limits, on_season_change=rule)
    return replace(version, components=(replace(component, limits=limits),))


def year_of(version, season):
    """The same with one season until the last days of the year."""
    others = [name for name in SEASONS if name != season]
    starts = zip([season, *others], ["01-01", "12-30", "12-31"], strict=True)
    seasons = tuple(Season(name=name, start=start) for name, start in starts)
    return replace(version, calendar=Calendar(seasons=seasons))


def slots_of(day):
    return slots_in(ZONE, Period(day, day + timedelta(days=1)), 60)


def by_label(bills):
    """The sums of each band's and tier's lines that come to anything."""
    sums = {}
    for bill in bills:
        for line in bill.lines:
            key = (line.item.band, line.item.kind)
            quantity, amount = sums.get(key, (0, 0))
            sums[key] = (quantity + line.quantity, amount + line.amount_exact)
    return {key: of_label for key, of_label in sums.items() if of_label[0]}


def shown(bills):
    return [
        (line.item.band, line.item.kind, line.item.flow, line.item.part, line.quantity,
         line.amount_exact)
        for bill in bills
        for line in bill.lines
        if line.quantity
    ]  # fmt: skip
