"""The report: what became of each field of a portal tariff, and the faults that refuse it.

Owns taking fields out of JSON objects so that none is passed over. Refuses to know what they mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any, Literal

from gridtally.kernel.errors import Fault, Rejected

NOTES_MAX = 1_000
"""Of notes and of faults: a document with more is none of this form."""
WORDS_CHARS_MAX = 100
"""Of a value or name that a report shows."""
FIELDS_SHOWN_MAX = 5
DESCRIPTIVE = frozenset(
    {
        *("name", "description", "label", "title", "display_name", "note", "notes", "comment"),
        *("colour", "color", "icon", "order", "sort_order", "created_at", "updated_at"),
    }
)
"""What people read, in any object of the document, and what charges nothing."""
NoteKind = Literal["convention", "not_imported", "not_understood", "descriptive"]


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a field, which `path` names as a JSON pointer.

    `convention` says how it was read, where the document leaves it open; `not_imported` and
    `not_understood` may mean money that the tariff does not charge; `descriptive` means none.
    """

    kind: NoteKind
    path: str
    detail: str


@dataclass(slots=True)
class Report:
    """Notes on a document, its faults, and what it charges that is not in the tariff."""

    notes: list[Note] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    missing: list[Fault] = field(default_factory=list)

    def note(self, kind: NoteKind, path: str, detail: str) -> None:
        """Adds a note; Rejected where there are too many."""
        if len(self.notes) >= NOTES_MAX:
            raise invalid([Fault(path, f"more than {NOTES_MAX} fields need a note")])
        self.notes.append(Note(kind, path, detail))

    def fault(self, path: str, detail: str) -> None:
        """Adds a reason to refuse the document; Rejected where there are too many."""
        self.faults.append(Fault(path, detail))
        if len(self.faults) >= NOTES_MAX:
            raise invalid(self.faults)

    def lack(self, path: str, detail: str) -> None:
        """Adds what an import must not leave out unless its caller says so."""
        self.note("not_imported", path, detail)
        self.missing.append(Fault(path, detail))


@dataclass(frozen=True, slots=True)
class Value:
    """A value and where it stands."""

    path: str
    content: Any


@dataclass(slots=True)
class Fields:
    """The fields of an object that have not been read yet."""

    path: str
    left: dict[str, Any]
    report: Report

    def take(self, *spellings: str) -> Value | None:
        """The field of whichever spelling, None where it is absent or null; it counts as read.

        Of several spellings that are there the first is taken, and others must say the same.
        """
        taken = [
            Value(path_to(self.path, name), self.left.pop(name))
            for name in spellings
            if name in self.left
        ]
        given = [value for value in taken if value.content is not None]
        for other in given[1:]:
            if other.content != given[0].content:
                self.report.fault(other.path, f"says something else than {given[0].path}")
        return given[0] if given else None

    def text(self, *spellings: str) -> str | None:
        """A text without space around it; None where it is absent, and a fault for another type."""
        value = self.take(*spellings)
        if value is None:
            return None
        if not isinstance(value.content, str) or not value.content.strip():
            self.report.fault(value.path, f"must be a text, not {in_words(value.content)}")
            return None
        return value.content.strip()

    def report_rest(self) -> None:
        """Notes on every field that nobody took."""
        for name, content in self.left.items():
            path = path_to(self.path, name)
            if name.lower() in DESCRIPTIVE:
                self.report.note("descriptive", path, "describes the tariff and charges nothing")
            else:
                self.report.note("not_understood", path, f"is no known field: {in_words(content)}")
        self.left.clear()


def fields_at(path: str, content: object, report: Report) -> Fields | None:
    """The fields of an object; a fault and None for anything else."""
    if not isinstance(content, Mapping):
        report.fault(path, f"must be an object, not {in_words(content)}")
        return None
    return Fields(path, dict(content), report)


def list_at(value: Value, length_max: int, report: Report) -> list[Value]:
    """The entries of a list; a fault and none for anything else, an empty one or a long one."""
    if not isinstance(value.content, list) or not 1 <= len(value.content) <= length_max:
        detail = f"must be a list of 1 to {length_max} entries, not {in_words(value.content)}"
        report.fault(value.path, detail)
        return []
    return [Value(f"{value.path}/{index}", content) for index, content in enumerate(value.content)]


def path_to(path: str, name: str) -> str:
    """The JSON pointer of a field, which of a long name has its beginning."""
    return f"{path}/{_shortened(name).replace('~', '~0').replace('/', '~1')}"


def in_words(content: object) -> str:
    """A value as a person would write it, shortened; of lists and objects what they hold."""
    if isinstance(content, str):
        return f"'{_shortened(' '.join(content.split()))}'"
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, list):
        return f"a list of {len(content)} entries"
    if isinstance(content, Mapping):
        names = [_shortened(str(name)) for name in list(content)[:FIELDS_SHOWN_MAX]]
        more = ", …" * (len(content) > FIELDS_SHOWN_MAX)
        return f"an object with {', '.join(names) or 'no field'}{more}"
    if isinstance(content, Decimal | Real):
        return _shortened(str(content))
    return "nothing"


def _shortened(text: str) -> str:
    """The text, cut where it is long; half of a surrogate pair, which no answer carries, is `?`."""
    text = text[: WORDS_CHARS_MAX + 1].encode(errors="replace").decode()
    return text if len(text) <= WORDS_CHARS_MAX else f"{text[:WORDS_CHARS_MAX]}…"


def invalid(faults: Sequence[Fault]) -> Rejected:
    """The answer to a document that cannot be read."""
    return Rejected("invalid_portal_tariff", details(faults), tuple(faults))


def details(faults: Sequence[Fault]) -> str:
    """Each fault with its path."""
    return "; ".join(f"{fault.path or '/'}: {fault.detail}" for fault in faults)
