"""Demand read naively from the document: every window by itself, every month as a set of days.

Quantities are fractions of kW times months or days. It shares no code with the engine.
"""

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction

from naive.clock import naive_band, naive_clock

DAY = timedelta(days=1)


def naive_demand(parts, usage, months):
    """Exact (quantity, amount) by (days, component, line) of (Period, document) pairs.

    `months` are {component: {band: {first of month: (days billed, highest kW)}}}, and are added to.
    """
    lines = {}
    for part, document in parts:
        for charge in document["components"]:
            before = {band: dict(kept) for band, kept in months.get(charge["id"], {}).items()}
            days = usage.period if charge["on_version_change"] == "keep" else part
            bands = charge["bands"] or [{"name": None} | charge]
            for band in bands:
                tiers = band["tiers"] or [{"rate": band["rate"]}]
                power = naive_windows(charge, document, usage, band["name"])
                if charge["ratchet_months"]:
                    remember(months, charge, band["name"], part, power)
                peak = naive_peak_of_days(power, days, charge["mean_of_highest_days"])
                if peak is None:
                    continue
                billed = naive_billed(charge, peak, before.get(band["name"], {}), usage.period)
                times = sum((naive_share(charge, part, day) for day in part.dates()), Fraction(0))
                floor = Fraction(0)
                for number, tier in enumerate(tiers):
                    top = billed if tier.get("limit") is None else Fraction(tier["limit"])
                    kw = max(min(billed, top) - floor, Fraction(0))
                    floor = top
                    name = f"tier-{number + 1}" if len(tiers) > 1 else None
                    label = ":".join(x for x in (band["name"], name) if x) or None
                    lines[part, charge["id"], label] = (
                        kw * times,
                        kw * times * Fraction(tier["rate"]),
                    )
    return lines


def naive_windows(charge, document, usage, band):
    """(first day, last day, kW) of each window that lies in the band."""
    clock = naive_clock(usage.zone, document["zone"], usage.period, usage.minutes)
    minutes = charge["minutes"]
    if usage.minutes > minutes:
        minutes = usage.minutes
    found = []
    for window in grouped(clock, charge["window"], minutes, usage.minutes):
        if band is None or all(naive_band(charge, clock[slot][1]) == band for slot in window):
            energy = sum(int(usage.series[charge["flow"]][slot]) for slot in window)
            kwh = Fraction(energy, 10**usage.kwh_decimals)
            kw = kwh / Fraction(len(window) * usage.minutes, 60)
            found.append((clock[window[0]][0], clock[window[-1]][0], kw))
    return found


def grouped(clock, kind, minutes, step):
    """The intervals of each window."""
    if kind == "sliding":
        slots = minutes // step
        return [list(range(n, n + slots)) for n in range(len(clock) - slots + 1)]
    windows, before = [], None
    for slot, (_, local) in enumerate(clock):
        block = (local.date(), (local.hour * 60 + local.minute) // minutes)
        if before is None or before[0] != block or before[1] + timedelta(minutes=step) != local:
            windows.append([])
        windows[-1].append(slot)
        before = (block, local)
    return windows


def naive_peak_of_days(power, days, count):
    daily = defaultdict(Fraction)
    for first_on, last_on, kw in power:
        if first_on in days and last_on in days:
            daily[first_on] = max(daily[first_on], kw)
    highest = sorted(daily.values())[-count:]
    return sum(highest, Fraction(0)) / len(highest) if highest else None


def naive_billed(charge, peak, months, period):
    first = period.start_on.replace(day=1)
    by_month = charge["ratchet_percent_by_month"]
    percent = by_month[first.month - 1] if by_month else charge["ratchet_percent"]
    only = charge["ratchet_only_months"]
    for _ in range(charge["ratchet_months"]):
        last, first = first - DAY, (first - DAY).replace(day=1)
        billed, kw = months.get(first, (set(), Fraction(0)))
        if len(billed) == last.day and (not only or first.month in only):
            peak = max(peak, kw * Fraction(percent) / 100)
    peak = max(peak, Fraction(charge["minimum_kw"]))
    if charge["kw_step"] is not None:
        step = Fraction(charge["kw_step"])
        peak = -(-peak // step) * step
    return peak


def naive_share(charge, part, day):
    """What a day costs, of a month or year."""
    next_month = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    if charge["per"] == "day":
        return Fraction(1)
    if charge["per"] == "year" and charge["proration"] == "actual_days":
        return Fraction(1, 366 if (day.replace(month=3, day=1) - DAY).day == 29 else 365)
    share = {
        "actual_days": Fraction(1, (next_month - DAY).day),
        "twelfths": Fraction(1, (next_month - DAY).day),
        "thirty_days": Fraction(1, 30),
        "year_over_twelve": Fraction(12, 365),
        "none": Fraction(day.day == 1 or day == part.start_on),
    }[charge["proration"]]
    return share / 12 if charge["per"] == "year" else share


def remember(months, charge, band, part, power):
    """Adds the days of the part to their months, with each piece's peak."""
    kept = months.setdefault(charge["id"], {}).setdefault(band, {})
    for first in {day.replace(day=1) for day in part.dates()}:
        piece = [day for day in part.dates() if day.replace(day=1) == first]
        peak = naive_peak_of_days(power, piece, charge["mean_of_highest_days"]) or Fraction(0)
        days, kw = kept.get(first, (set(), Fraction(0)))
        kept[first] = (days | set(piece), max(kw, peak))
