"""A naive engine for charges that add up: interval by interval, in fractions, from the document.

It shares no code with the engine; it reads the same JSON and walks the clock.
"""

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

from naive.clock import naive_clock, naive_cuts

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def naive_bill(documents, usage):
    """Exact amounts by (part, component, band), for (Period, document) pairs."""
    amounts = defaultdict(Fraction)
    for part, document in documents:
        for cut in naive_cuts(part, document):
            net = naive_charges(document, part, cut, usage)
            for tax in document["components"]:
                if tax["kind"] == "tax" and in_force(tax, cut):
                    base = sum(
                        (amount for (_, c, _), amount in net.items() if taxed(tax, c, document)),
                        Fraction(0),
                    )
                    amounts[cut, tax["id"], None] += base * Fraction(tax["rate"])
            for key, amount in net.items():
                amounts[key] += amount
    return dict(amounts)


def naive_charges(document, part, cut, usage):
    amounts = defaultdict(Fraction)
    charges = [charge for charge in document["components"] if in_force(charge, cut)]
    for charge in charges:
        if charge["kind"] == "fixed":
            share = naive_share(charge, part, cut)
            amounts[cut, charge["id"], None] += share * Fraction(charge["rate"])
        if charge["kind"] == "capacity":
            share = naive_share(charge, part, cut)
            amounts[cut, charge["id"], None] += (
                Fraction(usage.connected_kw) * share * Fraction(charge["rate"])
            )
    energy = defaultdict(int)
    for slot, (day, local) in enumerate(
        naive_clock(usage.zone, document["zone"], usage.period, usage.minutes)
    ):
        if day in cut:
            for charge in charges:
                if charge["kind"] in ("energy", "adjustment", "time_of_use"):
                    band = naive_band(charge, local, document["calendar"])
                    energy[charge["id"], band] += int(usage.series[charge["flow"]][slot])
    for charge in charges:
        for (id_, band), wh in energy.items():
            if id_ == charge["id"]:
                amounts[cut, id_, band] += Fraction(wh, 1000) * naive_price(charge, band)
    return amounts


def naive_price(charge, band):
    prices = {x["name"]: x["rate"] for x in charge.get("bands", [])} or {None: charge["rate"]}
    return Fraction(prices[band])


def naive_band(charge, local, calendar):
    if charge["kind"] != "time_of_use":
        return None
    name = charge["default_band"]
    clock = f"{local:%H:%M}"
    for window in charge["windows"]:
        start, end = window["from_time"], window["to_time"]
        inside = start <= clock < end if start < end else (clock >= start or clock < end)
        if inside and naive_day(window, local.date(), calendar):
            name = window["band"]
    return name


def naive_day(window, day, calendar):
    holiday = day.isoformat() in calendar["holidays"]["dates"]
    for day_type in calendar["day_types"]:
        if day_type["name"] in window["day_types"]:
            if holiday:
                fits = day_type["holidays"] == "included"
            else:
                fits = WEEKDAYS[day.weekday()] in day_type["weekdays"]
            if fits:
                break
    else:
        return False
    starts = sorted((season["start"], season["name"]) for season in calendar["seasons"])
    season = starts[-1][1]
    for start, name in starts:
        if start <= day.isoformat()[5:]:
            season = name
    return season in window["seasons"]


def naive_share(charge, part, cut):
    """Days, or months day by day."""
    first_on = part.start_on
    if charge.get("from_on"):
        first_on = max(first_on, date.fromisoformat(charge["from_on"]))
    if charge["per"] == "day":
        return Fraction((cut.end_on - cut.start_on).days)
    share, day = Fraction(0), cut.start_on
    while day < cut.end_on:
        next_month = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        share += {
            "actual_days": Fraction(1, (next_month - timedelta(days=1)).day),
            "thirty_days": Fraction(1, 30),
            "year_over_twelve": Fraction(12, 365),
            "none": Fraction(day.day == 1 or day == first_on),
        }[charge["proration"]]
        day += timedelta(days=1)
    return share


def in_force(dated, cut):
    from_on, to_on = dated.get("from_on"), dated.get("to_on")
    begun = from_on is None or date.fromisoformat(from_on) <= cut.start_on
    return begun and (to_on is None or date.fromisoformat(to_on) > cut.start_on)


def taxed(tax, component_id, document):
    charge = next(c for c in document["components"] if c["id"] == component_id)
    return component_id in tax["component_ids"] or (
        tax["tax_class"] is not None and charge["tax_class"] == tax["tax_class"]
    )
