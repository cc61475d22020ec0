"""Charges: each component of a portal tariff as one native component of the same id.

Conventions: values are in cents (hundredths of the currency); a component without a unit is charged
per kWh; of a rate per month each day is a part. A component in some time bands costs nothing
outside them, which is a band of its own at 0 on the bill.
"""

from collections.abc import Sequence
from decimal import Decimal
from numbers import Real

from gridtally.kernel.money import DECIMALS_MAX, parse_measured
from gridtally.portal_tariffs.bands import TimeBand, band_named, covers_week
from gridtally.portal_tariffs.report import Fields, Value, fields_at, in_words, list_at
from gridtally.rating.field_types import (
    BANDS_MAX,
    NAME_FORM,
    PAYEE_CHARS_MAX,
    RATE_FORM,
    ROUNDING_ID,
    decimals_in,
)

ENTRIES_MAX = 1_000
"""Of a `rate_schedule`."""
_CENTS = ("c", "ct", "cent", "cents", "¢")
_QUANTITIES = {
    "kwh": "kWh",
    "day": "day",
    "d": "day",
    "month": "month",
    "mo": "month",
    "year": "year",
}
UNITS = {
    f"{cents}{per}{quantity}": what
    for cents in _CENTS
    for per in ("/", "per")
    for quantity, what in _QUANTITIES.items()
}
"""What a value is for, by its unit without spaces and underscores, in lower case."""
BAND_FIELDS = ("time_band", "time_band_id", "band", "band_id", "time_bands")
_RATE_STEP = Decimal(1).scaleb(-DECIMALS_MAX)


def read_charge(fields: Fields, bands: Sequence[TimeBand]) -> dict[str, object] | None:
    """The native component of a portal's; None where it cannot be, which is reported."""
    charge_id = _id(fields)
    charged_in = _bands(fields, bands)
    payee = _payee(fields)
    units = [fields.take("unit", "units", "rate_unit")]
    rate, unit_of_rate = _rate(fields)
    per = _per(fields, [unit for unit in (*units, unit_of_rate) if unit is not None])
    fields.report_rest()
    if charge_id is None or charged_in is None or rate is None or per is None:
        return None
    charge: dict[str, object] = {"id": charge_id}
    if payee is not None:
        charge["payee"] = payee
    if per != "kWh":
        if charged_in:
            detail = f"a charge per {per} has no time band: it is owed at all hours"
            fields.report.fault(fields.path, detail)
        return charge | {"kind": "fixed", "rate": rate, "per": per}
    if not charged_in:
        return charge | {"kind": "energy", "rate": rate}
    return charge | _in_bands(fields, charged_in, rate)


def _in_bands(fields: Fields, charged_in: Sequence[TimeBand], rate: str) -> dict[str, object]:
    """A rate in some bands, and nothing outside them."""
    rates: list[dict[str, object]] = [{"name": band.label, "rate": rate} for band in charged_in]
    timed: dict[str, object] = {
        "kind": "time_of_use",
        "bands": rates,
        "windows": [window for band in charged_in for window in band.windows],
    }
    if not covers_week(charged_in):
        labels = {band.label for band in charged_in}
        outside = next(name for name in ("other", "outside", "rest", *map(str, range(BANDS_MAX)))
                       if name not in labels)  # fmt: skip
        rates.append({"name": outside, "rate": "0"})
        timed["default_band"] = outside
        detail = f"nothing is charged outside its bands: there its line is of band {outside}, at 0"
        fields.report.note("convention", fields.path, detail)
    return timed


def _id(fields: Fields) -> str | None:
    value = fields.take("id")
    if value is None:
        fields.report.fault(f"{fields.path}/id", "is missing: bills name the component by it")
        return None
    if not isinstance(value.content, str) or not NAME_FORM.fits(value.content):
        detail = (
            f"{in_words(value.content)} must be a text of 1 to 64 letters, digits, '_', '.', ':' "
            "or '-': ids are not changed"
        )
        fields.report.fault(value.path, detail)
        return None
    if value.content == ROUNDING_ID:
        detail = f"{ROUNDING_ID!r} is kept for the line that rounds a bill's total"
        fields.report.fault(value.path, detail)
        return None
    return value.content


def _bands(fields: Fields, bands: Sequence[TimeBand]) -> list[TimeBand] | None:
    """The bands in which it is charged; empty for all hours, None for a fault."""
    value = fields.take(*BAND_FIELDS)
    if value is None:
        return []
    entries = [value]
    if isinstance(value.content, list):
        entries = list_at(value, BANDS_MAX, fields.report)
    named: list[TimeBand] = []
    for entry in entries:
        name = entry.content.strip() if isinstance(entry.content, str) else ""
        band = band_named(name, bands)
        if band is None:
            detail = f"{in_words(entry.content)} is the id or name of no time band"
            fields.report.fault(entry.path, detail)
        elif band in named:
            fields.report.fault(entry.path, f"{in_words(entry.content)} is there twice")
        else:
            named.append(band)
    return named if named and len(named) == len(entries) else None


def _payee(fields: Fields) -> str | None:
    value = fields.take("payee")
    if value is None:
        return None
    payee = value.content.strip() if isinstance(value.content, str) else ""
    if not 1 <= len(payee) <= PAYEE_CHARS_MAX or not payee.isprintable():
        shown = in_words(value.content)
        detail = f"must be a text of 1 to {PAYEE_CHARS_MAX} characters, not {shown}"
        fields.report.fault(value.path, detail)
        return None
    return payee


def _per(fields: Fields, units: Sequence[Value]) -> str | None:
    """What the value is for; None for a unit that is not imported, which is reported."""
    if not units:
        detail = "absent: read as cents per kWh"
        fields.report.note("convention", f"{fields.path}/unit", detail)
        return "kWh"
    read = []
    for unit in units:
        text = unit.content if isinstance(unit.content, str) else ""
        per = UNITS.get(text.lower().replace(" ", "").replace("_", ""))
        if per is None:
            known = "c/kWh, c/day, c/month or c/year"
            detail = f"{in_words(unit.content)} is no unit that is imported: {known}"
            fields.report.lack(unit.path, detail)
        read.append(per)
    if None not in read and len(set(read)) > 1:
        fields.report.fault(units[1].path, f"says something else than {units[0].path}")
        return None
    return None if None in read else read[0]


def _rate(fields: Fields) -> tuple[str | None, Value | None]:
    """The rate in the currency, from cents, and the unit that stands beside it."""
    value = fields.take("rate_schedule")
    if value is None:
        fields.report.fault(f"{fields.path}/rate_schedule", "is missing: what it costs")
        return None, None
    entries = list_at(value, ENTRIES_MAX, fields.report)
    if not entries:
        return None, None
    if len(entries) > 1:
        detail = (
            f"has {len(entries)} entries: which of them is in force when is not understood, and "
            "the first alone is charged"
        )
        fields.report.lack(value.path, detail)
    first = fields_at(entries[0].path, entries[0].content, fields.report)
    if first is None:
        return None, None
    cents, unit = first.take("value"), first.take("unit", "units")
    first.report_rest()
    if cents is None:
        fields.report.fault(f"{first.path}/value", "is missing: cents, such as 31.5")
        return None, unit
    return _in_currency(fields, cents), unit


def _in_currency(fields: Fields, cents: Value) -> str | None:
    """Cents as a rate with at most 8 decimals; more are rounded, and reported."""
    try:
        if isinstance(cents.content, bool) or not isinstance(cents.content, Decimal | Real | str):
            raise ValueError  # noqa: TRY004 - a fault of the document
        number = parse_measured(str(cents.content))
    except ValueError:
        detail = f"{in_words(cents.content)} is not a number: cents, such as 31.5"
        fields.report.fault(cents.path, detail)
        return None
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - it is finite
    rate = Decimal((sign, digits, exponent - 2))  # exact, however many digits it has
    if abs(rate) >= RATE_FORM.below:
        fields.report.fault(cents.path, f"must be below {RATE_FORM.below * 100} cents")
        return None
    if decimals_in(rate) > DECIMALS_MAX:
        rounded = rate.quantize(_RATE_STEP)
        if rounded != rate:
            detail = f"has more than 6 decimals: read as {rounded * 100:f}"
            fields.report.note("convention", cents.path, detail)
        rate = rounded
    return format(rate or Decimal(0), "f")
