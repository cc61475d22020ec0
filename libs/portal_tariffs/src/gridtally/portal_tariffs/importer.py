"""The importer: one portal tariff into one tariff document, with a report of each field."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import minor_decimals
from gridtally.portal_tariffs.bands import TimeBand, day_types, read_bands
from gridtally.portal_tariffs.charges import read_charge
from gridtally.portal_tariffs.report import (
    Fields,
    Note,
    Report,
    Value,
    details,
    fields_at,
    in_words,
    invalid,
    list_at,
)
from gridtally.rating.document import tariff_version
from gridtally.rating.field_types import COMPONENTS_MAX, CURRENCY_FORM

Incomplete = Literal["refused", "accepted"]
"""What a tariff is that lacks charges which the portal's document certainly has."""
CENTS_DECIMALS = 2
DESCRIPTIVE = ("id", "tariff_id", "code", "version", "version_id", "utility", "retailer", "region")
"""What a document says of itself, besides what describes any part of it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A tariff `document` (see docs/tariffs.md), and notes on what a reader of it should know."""

    document: dict[str, object]
    notes: tuple[Note, ...]

    @property
    def warnings(self) -> list[Note]:
        """The notes on what may cost money and is not charged."""
        return [note for note in self.notes if note.kind in ("not_imported", "not_understood")]


def import_portal_tariff(
    document: object,
    *,
    zone: str | None = None,
    currency: str | None = None,
    incomplete: Incomplete = "refused",
) -> Imported:
    """The tariff of one portal tariff, on the clock of `zone` and in `currency`.

    Where the document names them itself, they need not be given and must not differ. Rejected,
    with the path of each fault, where the document can be read in two ways or not at all. Where
    charges of it cannot be in the tariff (units that no meter has, a second entry of a
    `rate_schedule`, hours without a band), it is refused or, `incomplete`, accepted with warnings.
    """
    report = Report()
    fields = fields_at("", document, report)
    if fields is None:
        raise invalid(report.faults)
    tariff_zone = _given(fields, ("zone", "timezone", "time_zone"), zone)
    tariff_currency = _given(fields, ("currency",), currency)
    if tariff_currency is not None:
        _check_cents(tariff_currency, report)
    bands = read_bands(fields.take("time_bands"), report)
    charges = _charges(fields.take("components"), bands, report)
    for name in DESCRIPTIVE:
        if (value := fields.take(name)) is not None:
            report.note("descriptive", value.path, "describes the tariff and charges nothing")
    fields.report_rest()
    if not report.faults and not charges:
        report.fault("/components", "nothing in it can be charged")
    if report.faults:
        raise invalid([*report.faults, *report.missing])
    if report.missing and incomplete == "refused":
        missing = tuple(report.missing)
        raise Rejected("incomplete_portal_tariff", details(missing), missing)
    tariff: dict[str, object] = {
        "currency": tariff_currency,
        "zone": tariff_zone,
        "components": charges,
    }
    if types := day_types([band for band in bands if _is_charged(band, charges)]):
        tariff["calendar"] = {"day_types": types}
    try:
        tariff_version(derive_id("portal-tariff"), tariff)
    except Rejected as error:  # what a native tariff refuses besides
        raise invalid(error.faults) from None
    return Imported(tariff, tuple(report.notes))


def _given(fields: Fields, spellings: Sequence[str], outside: str | None) -> str | None:
    """What the document says, or its caller; a fault where neither does, or they differ."""
    inside = fields.text(*spellings)
    path = f"/{spellings[0]}"
    if inside is None and outside is None:
        fields.report.fault(path, f"is not in the document: name it (--{spellings[0]})")
    elif inside is not None and outside not in (None, inside):
        fields.report.fault(path, f"the document is for {in_words(inside)}, not {outside}")
    return inside if outside is None else outside


def _check_cents(currency: str, report: Report) -> None:
    if not CURRENCY_FORM.fits(currency):
        report.fault("/currency", f"{in_words(currency)} is no currency code of three letters")
    elif minor_decimals(currency) != CENTS_DECIMALS:
        report.fault("/currency", f"{currency} has no cents, in which values are")


def _charges(
    value: Value | None, bands: Sequence[TimeBand], report: Report
) -> list[dict[str, object]]:
    """The components; faults for ids that repeat, notes on bands that no component names."""
    if value is None:
        report.fault("/components", "is missing: what the tariff charges")
        return []
    charges: list[dict[str, object]] = []
    for entry in list_at(value, COMPONENTS_MAX, report):
        fields = fields_at(entry.path, entry.content, report)
        charge = None if fields is None else read_charge(fields, bands)
        if charge is None:
            continue
        if any(charge["id"] == other["id"] for other in charges):
            report.fault(f"{entry.path}/id", f"another component is {charge['id']!r} too")
        charges.append(charge)
    for band in bands:
        if not _is_charged(band, charges):
            names = " or ".join(sorted(map(in_words, band.names)))
            detail = f"no component names {names}: in it those without a band alone are charged"
            report.note("not_imported", band.path, detail)
    return charges


def _is_charged(band: TimeBand, charges: Sequence[dict[str, Any]]) -> bool:
    """Whether a component is charged in the band."""
    return any(
        window["band"] == band.label for charge in charges for window in charge.get("windows", ())
    )
