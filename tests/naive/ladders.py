"""Tiers read naively from the document: each interval's energy is poured into the ladder by itself.

Quantities are fractions of kWh. It shares no code with the engine.
"""

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction

from naive.clock import naive_band, naive_clock, naive_cuts, naive_peak

DAY = timedelta(days=1)


def naive_bill(parts, usage, state):
    """Exact (quantity, amount) by (days, component, line) of (Period, document) pairs; the state.

    `state` is (since, kWh by band) by component.
    """
    lines, left = {}, {id_: kept for id_, kept in state.items() if kept[2]}
    for part, document in parts:
        for charge in document["components"]:
            if charge["kind"] == "tax":
                continue
            quantities = naive_charge(charge, part, document, usage, left, last=parts[-1][0])
            for cut in naive_cuts(part, document):
                share = Fraction(
                    (cut.end_on - cut.start_on).days, (part.end_on - part.start_on).days
                )
                for (label, price), kwh in quantities.items():
                    lines[cut, charge["id"], label] = (kwh * share, kwh * share * price)
    return lines, {id_: kept[:2] for id_, kept in left.items() if kept[2]}


def naive_charge(charge, part, document, usage, left, last):
    limits, split, id_ = charge["limits"], charge.get("split", "per_band"), charge["id"]
    ladders = {b["name"]: b["tiers"] for b in charge.get("bands", [])} or {None: charge["tiers"]}
    every = naive_intervals(charge, document, usage)
    own = [each for each in every if each[0] in part]
    kept = limits["on_version_change"] == "keep"
    days = usage.period if kept else part
    unit = naive_unit(limits, days, usage, charge["flow"], document)
    found = defaultdict(Fraction)
    if charge["mode"] == "volume":
        total = defaultdict(Fraction)
        for day, band, kwh in every:
            if day in days:
                total[band if split == "per_band" else None] += kwh
        for _, band, kwh in own:
            reached = total[band if split == "per_band" else None]
            for number, tier in enumerate(ladders[band]):
                if tier.get("limit") is None or reached <= Fraction(tier["limit"]) * unit:
                    found[naive_label(band, number, ladders[band])] += kwh
                    break
        return found
    lasting = limits["reset_months"] is not None
    since, used, _ = left.pop(id_, (None, {}, False)) if lasting or kept else (None, {}, False)
    climbs = defaultdict(list)
    for each in own:
        climbs[naive_since(limits, each[0]) if lasting else days.start_on].append(each)
    for began, energy in climbs.items():
        if began != since:
            used = {}
        used = defaultdict(Fraction, used)
        naive_climb(split, ladders, unit, energy, used, found)
        since = began
    if lasting or (kept and part != last):
        bands = sorted({band for _, band, _ in own}, key=str) if split == "per_band" else [None]
        left[id_] = (since, {band: used[band] for band in bands}, lasting)
    return found


def naive_climb(split, ladders, unit, energy, used, found):
    if split == "pro_rata":
        total = sum((kwh for _, _, kwh in energy), Fraction(0))
        by_band = defaultdict(Fraction)
        for _, band, kwh in energy:
            by_band[band] += kwh
        for band, kwh in by_band.items():
            for number, poured in naive_pour(ladders[band], unit, used[None], total):
                found[naive_label(band, number, ladders[band])] += poured * kwh / total
        used[None] += total
        return
    for _, band, kwh in energy:
        track = band if split == "per_band" else None
        for number, poured in naive_pour(ladders[band], unit, used[track], kwh):
            found[naive_label(band, number, ladders[band])] += poured
        used[track] += kwh


def naive_pour(tiers, unit, at, kwh):
    """Which tier takes how much of some kWh on top of those before."""
    for number, tier in enumerate(tiers):
        room = kwh if tier.get("limit") is None else Fraction(tier["limit"]) * unit - at
        poured = max(min(kwh, room), Fraction(0))
        if poured:
            yield number, poured
        at, kwh = at + poured, kwh - poured


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
    """(local day of the meter, band, kWh) of every interval."""
    clock = naive_clock(usage.zone, document["zone"], usage.period, usage.minutes)
    values = usage.series[charge["flow"]].tolist()
    return [
        (day, naive_band(charge, local), Fraction(value, 10**usage.kwh_decimals))
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
