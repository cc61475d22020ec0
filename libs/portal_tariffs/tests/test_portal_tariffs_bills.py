"""Bills by imported portal tariffs, against sums worked by hand and straight from the documents.

The naive biller reads a portal tariff as it stands and walks the clock hour by hour; it shares no
code with the importer or the engine.
"""

import json
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.portal_tariffs import import_portal_tariff
from gridtally.rating.document import tariff_version
from gridtally.rating.quote import quote, rate_in_sequence
from gridtally.rating.usage import Usage, slots_in

BUSINESS = Path(__file__).parent / "documents" / "business_time_of_use.json"
ZONE = "Europe/Berlin"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
VERSION_ID = UUID(int=7)


MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
"""743 hours: one is lost to the clock."""
HOURS = slots_in(ZONE, MARCH, 60)
FIRST = datetime.combine(MARCH.start_on, datetime.min.time(), ZoneInfo(ZONE)).astimezone(UTC)
STARTS = [(FIRST + timedelta(hours=hour)).astimezone(ZoneInfo(ZONE)) for hour in range(HOURS)]
"""When each of them begins, on Berlin's clock."""


def used(wh):
    return Usage(ZONE, MARCH, 60, {"import": wh})


def quoted(document, usage):
    (period,) = quote(tariff_version(VERSION_ID, document), [usage])["periods"]
    return period


def test_a_bill_is_what_the_document_says():
    """1 kWh in each of March's 743 hours. 21 weekdays × 16 h in the peak: 336 kWh × 0.30 = 100.80.
    21 × 8 h of night: 168 × 0.18 = 30.24. The other 239 hours are weekends, one lost to the clock:
    239 × 0.18 = 43.02. Market operator: 743 × 0.0005 = 0.3715. A month: 9.30. Together 183.73."""
    imported = import_portal_tariff(json.loads(BUSINESS.read_text()))
    usage = used(np.full(HOURS, 1000, np.int64))
    (bill,) = rate_in_sequence(tariff_version(VERSION_ID, imported.document), [usage])
    lines = [
        (item.component_id, item.band, f"{line.quantity:f}", f"{line.amount:f}", item.payee)
        for line in bill.lines
        if (item := line.item).rate
    ]
    assert lines == [
        ("energy-peak", "peak", "336.000", "100.80", None),
        ("energy-off-peak", "night", "168.000", "30.24", None),
        ("energy-off-peak", "weekend", "239.000", "43.02", None),
        ("market-operator", None, "743.000", "0.37", "Grid Operator"),
        ("standing", None, "1", "9.30", None),
    ]
    assert quoted(imported.document, usage)["totals"]["total"] == "183.73"


# --- the naive biller -----------------------------------------------------------------------------


def minute_of(text):
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def is_in_force(band, at):
    minute = at.hour * 60 + at.minute
    for time in band["times"]:
        start, end = minute_of(time["from"]), minute_of(time["to"]) or 1440
        covered = start <= minute < end if start < end else minute >= start or minute < end
        if covered and DAYS[at.weekday()] in band["days"]:
            return True
    return False


def naive_bill(document, hourly_wh):
    """The exact amount of each component."""
    bands = {band["id"]: band for band in document["time_bands"]}
    amounts = {}
    for component in document["components"]:
        price = Fraction(component["rate_schedule"][0]["value"]) / 100
        if component["unit"] == "c/month":
            amounts[component["id"]] = price
            continue
        named = component.get("time_bands")
        wh = sum(
            int(hour_wh)
            for at, hour_wh in zip(STARTS, hourly_wh, strict=True)
            if named is None or any(is_in_force(bands[name], at) for name in named)
        )
        amounts[component["id"]] = price * wh / 1000
    return amounts


@st.composite
def weeks(draw):
    """Bands that cover a week once: on two sets of days, each day cut at whole hours."""
    days = draw(st.sets(st.sampled_from(DAYS), min_size=1, max_size=6))
    bands = []
    for group, on in (("a", sorted(days)), ("b", sorted(set(DAYS) - days))):
        edges = sorted(draw(st.sets(st.integers(0, 23), min_size=1, max_size=4)))
        for number, start in enumerate(edges):
            end = edges[(number + 1) % len(edges)]
            times = [{"from": f"{start:02}:00", "to": f"{end:02}:00"}]
            if len(edges) == 1:
                times = [{"from": "00:00", "to": "24:00"}]
            bands.append({"id": f"{group}{number}", "days": on, "times": times})
    return bands


@st.composite
def portal_tariffs(draw):
    """Documents of which everything is charged."""
    bands = draw(weeks())
    names = [band["id"] for band in bands]
    values = st.decimals(-50, 90, places=2).map(str)
    components = [{"id": "fee", "unit": "c/month", "rate_schedule": [{"value": draw(values)}]}]
    for number in range(draw(st.integers(1, 4))):
        component = {
            "id": f"energy.{number}", "unit": "c/kWh", "rate_schedule": [{"value": draw(values)}],
        }  # fmt: skip
        if draw(st.booleans()):
            component["payee"] = draw(st.sampled_from(["Operator", "Grid"]))
        if draw(st.booleans()):
            chosen = st.lists(st.sampled_from(names), min_size=1, unique=True)
            component["time_bands"] = draw(chosen)
        components.append(component)
    return {"currency": "EUR", "zone": ZONE, "time_bands": bands, "components": components}


@given(portal_tariffs(), st.integers(0, 99))
def test_every_component_costs_what_the_document_says(document, seed):
    hourly_wh = np.random.default_rng(seed).integers(0, 5000, HOURS)
    imported = import_portal_tariff(document)
    charged = dict.fromkeys((component["id"] for component in document["components"]), Fraction(0))
    for line in quoted(imported.document, used(hourly_wh))["lines"]:
        charged[line["component_id"]] += Fraction(line["amount_exact"])
    assert charged == naive_bill(document, hourly_wh)
    unnamed = {
        f"/time_bands/{index}"
        for index, band in enumerate(document["time_bands"])
        if not any(band["id"] in part.get("time_bands", ()) for part in document["components"])
    }
    assert {note.path for note in imported.warnings} == unnamed


def leaves(value, path=()):
    """The path of every value in a document that is no list and no object."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def outcome(document):
    """All that an import says of a document."""
    try:
        imported = import_portal_tariff(document)
    except Rejected as error:
        return error.code, error.faults
    return imported.document, imported.notes


@given(portal_tariffs(), st.data())
def test_no_field_of_a_document_is_passed_over(document, data):
    """Another value anywhere, or a further field, changes the tariff or the report."""
    before = outcome(document)
    path = data.draw(st.sampled_from(list(leaves(document))))
    changed = deepcopy(document)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    replacement = st.sampled_from(["x", "11:11", "c/day", "Peak", 17, Decimal("0.125"), True, {}])
    holder[path[-1]] = data.draw(replacement.filter(lambda other: other != holder[path[-1]]))
    assert outcome(changed) != before
    further = deepcopy(document)
    holder = further
    for step in path[:-1]:
        holder = holder[step]
    if isinstance(holder, dict):
        name = data.draw(st.text(min_size=1, max_size=9).filter(lambda name: name not in holder))
        holder[name] = data.draw(st.sampled_from([None, 0, "", "x", [], {"rate": 1}]))
        assert outcome(further) != before
