"""Demand read naively from the document: every window by itself, every month as a set of days.

Quantities are fractions of kW times months or days. It shares no code with the engine.
"""

from collections import defaultdict
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
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
            before = {band: dict(stored) for band, stored in months.get(charge["id"], {}).items()}
            days = usage.period if charge["on_version_change"] == "keep" else part
            bands = charge["bands"] or [{"name": None} | charge]
            for band in bands:
                power = naive_windows(charge, document, usage, band["name"])
                if charge["ratchet_months"]:
                    store_peaks(months, charge, band["name"], part, power)
                if charge.get("mean_of_months"):
                    billed = naive_means(months, charge, band["name"], part, usage, power)
                    add_lines(lines, charge, band, part, billed)
                    continue
                peak = naive_peak_of_days(power, days, charge["mean_of_highest_days"])
                if peak is None:
                    continue
                billed = naive_billed(charge, peak, before.get(band["name"], {}), usage.period)
                times = sum((naive_day(charge, part, day) for day in part.dates()), Fraction(0))
                add_lines(lines, charge, band, part, [(billed, times)])
    return lines


def add_lines(lines, charge, band, part, billed):
    """The lines of a band, of some (kW, times) that are added up tier by tier."""
    tiers = band["tiers"] or [{"rate": band["rate"]}]
    for all_kw, times in billed:
        floor = Fraction(0)
        for number, tier in enumerate(tiers):
            top = all_kw if tier.get("limit") is None else Fraction(tier["limit"])
            kw = max(min(all_kw, top) - floor, Fraction(0)) * times
            floor = top
            name = f"tier-{number + 1}" if len(tiers) > 1 else None
            key = part, charge["id"], ":".join(x for x in (band["name"], name) if x) or None
            quantity, amount = lines.get(key, (0, 0))
            lines[key] = quantity + kw, amount + kw * Fraction(tier["rate"])


def naive_means(months, charge, band, part, usage, power):
    """(mean kW, times) of each month of a part; its peaks are stored where the band is in force."""
    billed = []
    stored = months.setdefault(charge["id"], {}).setdefault(band, {})
    least = Fraction(charge["minimum_kw"])
    for first in sorted({day.replace(day=1) for day in part.dates()}):
        days = [day for day in usage.period.dates() if day.replace(day=1) == first]
        kw = naive_peak_of_days(power, days, charge["mean_of_highest_days"])
        if kw is None:
            continue
        before_days, before_kw = stored.get(first, (set(), Fraction(0)))
        of_part = [day for day in days if day in part]
        stored[first] = (before_days | set(of_part), max(kw, before_kw))
        peaks, month = [stored[first][1]], first
        for _ in range(charge["mean_of_months"] - 1):
            month = (month - DAY).replace(day=1)
            if month in stored:
                peaks.append(stored[month][1])
        mean = sum(max(peak, least) for peak in peaks) / len(peaks)
        times = sum((naive_day(charge, part, day) for day in of_part), Fraction(0))
        billed.append((rounded_up(charge, mean), times))
    return billed


def rounded_up(charge, kw):
    if charge["kw_step"] is None:
        return kw
    step = Fraction(charge["kw_step"])
    return -(-kw // step) * step


def naive_windows(charge, document, usage, band):
    """(first day, last day, kW) of each window that lies in the band."""
    clock = naive_clock(usage.zone, document["zone"], usage.period, usage.minutes)
    minutes = charge["minutes"]
    if usage.minutes > minutes:
        minutes = usage.minutes
    powers, series = [], {flow: values.tolist() for flow, values in usage.series.items()}
    energies = series[charge["flow"]]
    weights = {entry["name"]: Fraction(entry["weight"]) for entry in charge.get("weights", [])}
    weights = weights or {band: Fraction(1)}
    banded = charge["bands"] or charge.get("weights")
    kw_per_unit = {
        (slots, name): Fraction(60, 10**usage.kwh_decimals * slots * usage.minutes) * weight
        for slots in range(1, 60 // usage.minutes + 1)
        for name, weight in weights.items()
    }
    in_force = [naive_band(charge, local) if banded else None for _, local in clock]
    for window in grouped(clock, charge["window"], minutes, usage.minutes):
        names = {in_force[slot] for slot in window}
        if len(names) == 1 and names <= weights.keys():
            energy = sum(energies[slot] for slot in window)
            scale = kw_per_unit[len(window), names.pop()]
            if charge.get("unit") == "kVA":
                square = energy**2 + naive_kvarh(charge, series, window) ** 2
                kw = naive_root(square * scale * scale)
            elif charge.get("unit") == "kvar":
                kw = abs(naive_kvarh(charge, series, window)) * scale
            else:
                kw = energy * scale
            powers.append((clock[window[0]][0], clock[window[-1]][0], kw))
    return powers


def naive_kvarh(charge, series, window):
    drawn, fed_in = (
        sum(series[flow][slot] for slot in window)
        for flow in ("reactive_import", "reactive_export")
    )
    return {
        "import": drawn, "export": fed_in, "net": drawn - fed_in, "higher": max(drawn, fed_in)
    }[charge["reactive"]]  # fmt: skip


def naive_root(square):
    """The root in a hundred digits, to whole thousandths, half up."""
    with localcontext(prec=100):
        root = (Decimal(square.numerator) / square.denominator).sqrt()
        return Fraction(root.quantize(Decimal("0.001"), ROUND_HALF_UP))


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
    return rounded_up(charge, max(peak, Fraction(charge["minimum_kw"])))


def naive_day(charge, part, day):
    """What a day costs, of a month or year."""
    next_month = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    if charge["per"] == "day":
        return Fraction(1)
    if charge["per"] == "year" and charge["proration"] == "actual_days":
        return Fraction(1, 366 if (day.replace(month=3, day=1) - DAY).day == 29 else 365)
    of_month = {
        "actual_days": Fraction(1, (next_month - DAY).day),
        "twelfths": Fraction(1, (next_month - DAY).day),
        "thirty_days": Fraction(1, 30),
        "year_over_twelve": Fraction(12, 365),
        "none": Fraction(day.day == 1 or day == part.start_on),
    }[charge["proration"]]
    return of_month / 12 if charge["per"] == "year" else of_month


def store_peaks(months, charge, band, part, power):
    """Adds the days of the part to their months, with each piece's peak."""
    stored = months.setdefault(charge["id"], {}).setdefault(band, {})
    for first in {day.replace(day=1) for day in part.dates()}:
        piece = [day for day in part.dates() if day.replace(day=1) == first]
        peak = naive_peak_of_days(power, piece, charge["mean_of_highest_days"]) or Fraction(0)
        days, kw = stored.get(first, (set(), Fraction(0)))
        stored[first] = (days | set(piece), max(kw, peak))
