"""Tiers read naively from the document: each interval's energy is allocated to tiers by itself.

Quantities are fractions of kWh. It shares no code with the engine.
"""

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction
from math import lcm

from naive.clock import naive_band, naive_clock, naive_cuts, naive_peak

DAY = timedelta(days=1)


def naive_bill(parts, usage, state):
    """Exact (quantity, amount) by (days, component, line) of (Period, document) pairs; the state.

    `state` is (since, kWh by band) by component.
    """
    lines, left = {}, {id_: progress for id_, progress in state.items() if progress[2]}
    for part, document in parts:
        for charge in document["components"]:
            if charge["kind"] == "tax":
                continue
            if charge["limits"].get("reset_daily"):
                for cut in naive_cuts(part, document):
                    for (label, price), kwh in naive_days(charge, cut, document, usage).items():
                        lines[cut, charge["id"], label] = (kwh, kwh * price)
                continue
            quantities = naive_charge(charge, part, document, usage, left, last=parts[-1][0])
            for cut in naive_cuts(part, document):
                of_days = Fraction(
                    (cut.end_on - cut.start_on).days, (part.end_on - part.start_on).days
                )
                for (label, price), kwh in quantities.items():
                    lines[cut, charge["id"], label] = (kwh * of_days, kwh * of_days * price)
    return lines, {id_: progress[:2] for id_, progress in left.items() if progress[2]}


def naive_charge(charge, part, document, usage, left, last):
    limits, split, id_ = charge["limits"], charge.get("split", "per_band"), charge["id"]
    tiers_of = {b["name"]: b["tiers"] for b in charge.get("bands", [])} or {None: charge["tiers"]}
    every = naive_intervals(charge, document, usage)
    own = [interval for interval in every if interval[0] in part]
    keeps = limits["on_version_change"] == "keep"
    days = usage.period if keeps else part
    unit = naive_unit(limits, days, usage, charge["flow"], document)
    scale = 10**usage.kwh_decimals
    if charge["mode"] == "volume":
        return naive_volume(split, tiers_of, unit, [x for x in every if x[0] in days], own, scale)
    lines = defaultdict(Fraction)
    lasting = limits["reset_months"] is not None
    since, used, _ = left.pop(id_, (None, {}, False)) if lasting or keeps else (None, {}, False)
    cycles = defaultdict(list)
    for interval in own:
        cycles[naive_since(limits, interval[0]) if lasting else days.start_on].append(interval)
    for began, energy in cycles.items():
        if began != since:
            used = {}
        used = defaultdict(Fraction, used)
        naive_allocation(split, tiers_of, unit, energy, scale, used, lines)
        since = began
    if lasting or (keeps and part != last):
        bands = sorted({band for _, band, _ in own}, key=str) if split == "per_band" else [None]
        left[id_] = (since, {band: used[band] for band in bands}, lasting)
    return lines


def naive_days(charge, part, document, usage):
    """Tiers that start again each day: a bill of each day, added up."""
    split = charge.get("split", "per_band")
    tiers_of = {b["name"]: b["tiers"] for b in charge.get("bands", [])} or {None: charge["tiers"]}
    scale, lines = 10**usage.kwh_decimals, defaultdict(Fraction)
    every = naive_intervals(charge, document, usage)
    for day in part.dates():
        own = [interval for interval in every if interval[0] == day]
        if charge["mode"] == "volume":
            of_day = naive_volume(split, tiers_of, Fraction(1), own, own, scale)
        else:
            of_day, used = defaultdict(Fraction), defaultdict(Fraction)
            naive_allocation(split, tiers_of, Fraction(1), own, scale, used, of_day)
        for label, kwh in of_day.items():
            lines[label] += kwh
    return lines


def naive_volume(split, tiers_of, unit, every, own, scale):
    """All energy at the price of the tier that the total reaches."""
    total, by_band, lines = defaultdict(int), defaultdict(int), defaultdict(Fraction)
    for _, band, energy in every:
        total[band if split == "per_band" else None] += energy
    for _, band, energy in own:
        by_band[band] += energy
    for band, energy in by_band.items():
        reached = Fraction(total[band if split == "per_band" else None], scale)
        for number, top in enumerate(naive_limits(tiers_of[band], unit)):
            if top is None or reached <= top:
                lines[naive_label(band, number, tiers_of[band])] += Fraction(energy, scale)
                break
    return lines


def naive_allocation(split, tiers_of, unit, energy, scale, used, lines):
    """Allocates each interval in whole numbers of so small an energy that limits are whole too.

    With fractions all the way these sums took most of the unit tests' time.
    """
    tops = {band: naive_limits(tiers, unit) for band, tiers in tiers_of.items()}
    ends = [top for tops_of_band in tops.values() for top in tops_of_band if top is not None]
    per_kwh = lcm(scale, *(number.denominator for number in [*ends, *used.values()]))
    tops = {
        band: [top if top is None else int(top * per_kwh) for top in tops_of_band]
        for band, tops_of_band in tops.items()
    }
    at = defaultdict(int, {track: int(kwh * per_kwh) for track, kwh in used.items()})
    allocated = defaultdict(Fraction if split == "pro_rata" else int)
    if split == "pro_rata":
        by_band = defaultdict(int)
        for _, band, value in energy:
            by_band[band] += value * (per_kwh // scale)
        total = sum(by_band.values())
        for band, of_band in by_band.items():
            for number, amount in naive_parts(tops[band], at[None], total):
                allocated[band, number] += Fraction(amount * of_band, total)
        at[None] += total
    else:
        for _, band, value in energy:
            track, amount = band if split == "per_band" else None, value * (per_kwh // scale)
            for number, part in naive_parts(tops[band], at[track], amount):
                allocated[band, number] += part
            at[track] += amount
    for (band, number), amount in allocated.items():
        lines[naive_label(band, number, tiers_of[band])] += Fraction(amount) / per_kwh
    used.update((track, Fraction(amount, per_kwh)) for track, amount in at.items())


def naive_limits(tiers, unit):
    """Where each tier ends, in kWh; None for the last."""
    return [None if x.get("limit") is None else Fraction(x["limit"]) * unit for x in tiers]


def naive_parts(tops, at, amount):
    """Which tier takes how much of some energy on top of that before."""
    for number, top in enumerate(tops):
        allocated = amount if top is None else max(min(amount, top - at), 0)
        if allocated:
            yield number, allocated
        at, amount = at + allocated, amount - allocated


def naive_label(band, number, tiers):
    name = f"tier-{number + 1}" if len(tiers) > 1 else None
    parts = [part for part in (band, name) if part is not None]
    return ":".join(parts) or None, Fraction(tiers[number]["rate"])


def naive_since(limits, day):
    day = day.replace(day=1)
    while (day.month - limits["anchor_month"]) % limits["reset_months"]:
        day = (day - DAY).replace(day=1)
    return day


def naive_intervals(charge, document, usage):
    """(local day of the meter, band, energy in its last decimal) of every interval."""
    clock = naive_clock(usage.zone, document["zone"], usage.period, usage.minutes)
    values = usage.series[charge["flow"]].tolist()
    return [
        (day, naive_band(charge, local), value)
        for (day, local), value in zip(clock, values, strict=True)
    ]


def naive_unit(limits, days, usage, flow, document):
    """What one kWh of a limit is."""
    unit = Fraction(0)
    for day in days.dates():
        next_month = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        share = {
            "day": Fraction(1),
            "period": Fraction(1, (usage.period.end_on - usage.period.start_on).days),
            "month": {
                "actual_days": Fraction(1, (next_month - DAY).day),
                "thirty_days": Fraction(1, 30),
                "year_over_twelve": Fraction(12, 365),
                "none": Fraction(day.day == 1 or day == days.start_on),
            }[limits["proration"]],
        }[limits["per"]]
        kw = usage.connected_kw
        for change in usage.connected_changes:
            if change.from_on <= day:
                kw = change.connected_kw
        unit += share * (Fraction(kw) if limits["kw"] == "connected" else 1)
    if limits["kw"] == "peak":
        unit *= naive_peak(limits["peak_minutes"], days, usage, flow, document)
    return unit
