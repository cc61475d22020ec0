"""Records: the fields of one URDB rate, read as exact decimals.

Owns the spellings of field names and what each field is for. Refuses numbers that are none.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any, Literal

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.money import DECIMALS_MAX, parse_measured
from gridtally.rating.field_types import decimals_in

MONTHS, HOURS = 12, 24
NO_LIMIT = Decimal(10) ** 9
"""Tiers up to this much (1e38, 1e9) have no limit: it is how other tools write it."""
ITEMS_MAX = 10_000
WORDS_CHARS_MAX = 200
"""Of a value that a report or a fault shows."""
TIER_FIELDS = frozenset({"rate", "adj", "max"})
EMPTY_VALUES: tuple[object, ...] = (None, "", 0, [], False)
"""Values of fields that mean nothing."""
_RATE_STEP = Decimal(1).scaleb(-DECIMALS_MAX)

Period = tuple[Mapping[str, Any], ...]
"""The tiers of one of a structure's periods, in order."""
NoteKind = Literal["convention", "not_imported", "not_understood", "descriptive"]


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a field: `convention` says how it was read, where the record leaves it open.

    `not_imported` and `not_understood` may mean money that the tariff does not charge;
    `descriptive` fields mean none.
    """

    kind: NoteKind
    field: str
    detail: str


@dataclass(slots=True)
class Record:
    """A rate's fields by their documented names; a field that is read is taken out."""

    fields: dict[str, Any]
    notes: list[Note] = field(default_factory=list)
    missing: list[Fault] = field(default_factory=list)
    """What certainly costs money and is not in the tariff."""

    def note(self, kind: NoteKind, name: str, detail: str) -> None:
        """Adds to the report."""
        self.notes.append(Note(kind, name, detail))

    def lack(self, name: str, detail: str) -> None:
        """Adds to the report what an import must not leave out unless its caller says so."""
        self.note("not_imported", name, detail)
        self.missing.append(Fault(f"/{name.removeprefix('/')}", detail))

    def take(self, name: str) -> Any:
        """The field's value, None where it is absent; it counts as read."""
        return self.fields.pop(name, None)

    def text(self, name: str) -> str:
        """The field's text, stripped; empty where it is absent."""
        value = self.take(name)
        return "" if value is None else str(value).strip()

    def amount(self, name: str) -> Decimal:
        """The field's number, 0 where it is absent."""
        value = self.take(name)
        return Decimal(0) if value is None else self.rate(value, f"/{name}")

    def rate(self, value: object, path: str) -> Decimal:
        """A rate with at most 8 decimals; more are rounded, and reported."""
        number = number_at(value, path)
        if decimals_in(number) <= DECIMALS_MAX:
            return number
        rounded = number.quantize(_RATE_STEP).normalize()
        self.note("convention", path, f"{number} has more than 8 decimals: read as {rounded:f}")
        return rounded


def record_of(document: object, label: str | None = None) -> Record:
    """The record in what the API answers, in a list of rates, or in a rate by itself.

    `label` chooses one of several. Rejected where there is none, or more than one.
    """
    if isinstance(document, str):  # some tools write the answer as a text within JSON
        try:
            document = json.loads(document, parse_float=Decimal)
        except ValueError:
            raise invalid([Fault("", "is a text and no URDB record")]) from None
    items = document.get("items", document) if isinstance(document, Mapping) else document
    listed = [items] if isinstance(items, Mapping) else items
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise invalid([Fault("", "must be a URDB record")])
    if len(listed) > ITEMS_MAX:
        raise invalid([Fault("/items", f"at most {ITEMS_MAX} rates")])
    rates = [_named(item) for item in listed if isinstance(item, Mapping)]
    if label is not None:
        rates = [rate for rate in rates if rate.get("label") == label]
    if len(rates) != 1:
        labels = ", ".join(str(rate.get("label")) for rate in rates[:3])
        detail = f"holds {len(rates)} rates" + (
            f" ({labels}, …): name one by its label" * bool(rates)
        )
        raise invalid([Fault("/items", detail)])
    return Record(rates[0])


def _named(item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by their documented names, which are in lower case."""
    return {SPELLINGS.get(name.lower(), name.lower()): value for name, value in item.items()}


def in_words(value: object) -> str:
    """A value of a record as a person would write it, shortened; texts in quotes."""
    return _quoted(value) if isinstance(value, str) else _shortened(_worded(value))


def _worded(value: object) -> str:
    """Lists by semicolons, fields as `name: value`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_worded(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(_worded, value)) or "nothing"
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else str(value)


def _quoted(text: str) -> str:
    return f"'{_shortened(' '.join(text.split()))}'"


def _shortened(text: str) -> str:
    return text if len(text) <= WORDS_CHARS_MAX else f"{text[:WORDS_CHARS_MAX]}…"


def number_at(value: object, path: str) -> Decimal:
    """An exact number; Rejected with its path for anything else."""
    try:
        if isinstance(value, bool) or not isinstance(value, Decimal | Real | str):
            raise ValueError  # noqa: TRY004 - a fault of the record
        return parse_measured(str(value))
    except ValueError:
        raise invalid([Fault(path, f"{in_words(value)} is not a number")]) from None


def limit_at(tier: Mapping[str, Any], path: str) -> Decimal | None:
    """Up to how much a tier goes; None for no limit."""
    value = tier.get("max")
    if value is None:
        return None
    if not isinstance(value, bool) and isinstance(value, Decimal | Real):
        number = Decimal(str(value))
        if number == Decimal("Infinity") or (number.is_finite() and number >= NO_LIMIT):
            return None
    return number_at(value, f"{path}/max")


def whole_at(value: object, path: str) -> int:
    """A whole number; Rejected with its path for anything else."""
    number = number_at(value, path)
    if number != int(number):
        raise invalid([Fault(path, f"{in_words(value)} is not a whole number")])
    return int(number)


def structure_at(record: Record, name: str) -> tuple[Period, ...]:
    """The periods and tiers of a rate structure; none where the record has no such field."""
    value = record.take(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(tiers, list) and all(isinstance(tier, Mapping) for tier in tiers)
        for tiers in value
    ):
        raise invalid([Fault(f"/{name}", "must be a list of periods, each a list of tiers")])
    periods = tuple(tuple(tiers) for tiers in value)
    _report_unknown(record, name, periods)
    return periods


def _report_unknown(record: Record, name: str, periods: Sequence[Period]) -> None:
    """Notes on fields of tiers besides rates and limits; one note for each such field."""
    energy = name == "energyratestructure"
    known = TIER_FIELDS | ({"unit", "sell"} if energy else set())
    reported: set[str] = set()
    for number, tiers in enumerate(periods):
        for tier_index, tier in enumerate(tiers):
            for key, value in tier.items():
                if key in known | reported or value in EMPTY_VALUES:
                    continue
                if key == "unit" and str(value).strip().lower() == "kw":
                    continue
                reported.add(key)
                path = f"/{name}/{number}/{tier_index}/{key}"
                record.note("not_understood", path, f"is no known field: {in_words(value)}")


def twelve_at(record: Record, name: str) -> list[Any] | None:
    """One value for each month; None where the record has no such field."""
    value = record.take(name)
    if value is not None and (not isinstance(value, list) or len(value) != MONTHS):
        raise invalid([Fault(f"/{name}", "must be 12 months")])
    return value


def schedule_at(record: Record, name: str, periods: int) -> list[list[int]] | None:
    """12 months × 24 hours of periods; None where the record has no such field."""
    value = record.take(name)
    if value is None:
        return None
    rows = value if isinstance(value, list) else []
    if len(rows) != MONTHS or any(not isinstance(row, list) or len(row) != HOURS for row in rows):
        raise invalid([Fault(f"/{name}", "must be 12 months of 24 hours each")])
    return [list(_periods(row, f"/{name}/{month}", periods)) for month, row in enumerate(rows)]


def months_at(record: Record, name: str, periods: int) -> list[int] | None:
    """The period of each of 12 months; None where the record has no such field."""
    value = twelve_at(record, name)
    return None if value is None else list(_periods(value, f"/{name}", periods))


def _periods(row: list[object], path: str, periods: int) -> Iterator[int]:
    for index, value in enumerate(row):
        number = number_at(value, f"{path}/{index}")
        if number != int(number) or not 0 <= number < periods:
            detail = f"{in_words(value)} is none of the {periods} periods, which count from 0"
            raise invalid([Fault(f"{path}/{index}", detail)])
        yield int(number)


def invalid(faults: Sequence[Fault]) -> Rejected:
    """The answer to a record that cannot be read."""
    return Rejected("invalid_urdb", details(faults), tuple(faults))


def details(faults: Sequence[Fault]) -> str:
    """Each fault with its path."""
    return "; ".join(f"{fault.path or '/'}: {fault.detail}" for fault in faults)


SPELLINGS = {
    "flatdemandunits": "flatdemandunit",
    "demandrateunits": "demandrateunit",
    "demandreactpwrcharge": "demandreactivepowercharge",
    "supercedes": "supersedes",
    "energyratestrux": "energyratestructure",
    "energyweekdaysched": "energyweekdayschedule",
    "energyweekendsched": "energyweekendschedule",
    "demandratestrux": "demandratestructure",
    "demandweekdaysched": "demandweekdayschedule",
    "demandweekendsched": "demandweekendschedule",
    "flatdemandstrux": "flatdemandstructure",
    "coincidentrateschedule": "coincidentschedule",
}
"""How the database's downloads and other tools write some fields, in lower case."""
DESCRIPTIVE = frozenset(
    {
        *("label", "uri", "approved", "is_default", "utility", "eiaid", "name", "sector"),
        *("description", "source", "sourceparent", "sourcereference"),
        *("supersedes", "revisions", "startdate", "enddate", "country", "phasewiring"),
        *("voltagecategory", "voltageminimum", "voltagemaximum", "basicinformationcomments"),
        *("energycomments", "demandcomments", "energytoulabels", "demandtoulabels", "_id"),
        *("rateid", "demandlabels", "demandunits", "version"),
    }
)
APPLICABILITY = frozenset(
    {
        *("peakkwcapacitymin", "peakkwcapacitymax", "peakkwcapacityhistory", "peakkwhusagemin"),
        *("peakkwhusagemax", "peakkwhusagehistory", "mindemand", "maxdemand", "minenergy"),
        *("maxenergy", "servicemin", "servicemax"),
    }
)
"""Who may have the tariff."""
