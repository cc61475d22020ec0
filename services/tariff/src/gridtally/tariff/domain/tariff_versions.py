"""Versions of tariffs: drafts, what was published for good, and what was withdrawn.

Owns when a version is in force, and how it is withdrawn. Refuses documents that contradict their
tariff or that the rating engine cannot rate.
"""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.rating import tariff as rating
from gridtally.rating.document import tariff_version
from gridtally.tariff.domain.tariffs import Tariff
from gridtally.tariff.domain.versions import Document, Status, VersionStep

CALENDAR_ID = "calendar_id"
"""The field by which a draft's document names a calendar, in place of one of its own."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a version says: its document, from a local date up to, but without, another.

    `note` tells people what is new in it.
    """

    effective_from: date
    effective_to: date | None
    document: Document
    note: str | None = None

    def __post_init__(self) -> None:
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            fault = Fault("/effective_to", "must lie after effective_from")
            raise Rejected("empty_period", "the version is never in force", (fault,))


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Why a version is out of force from a local date on."""

    from_on: date
    reason: str


@dataclass(frozen=True, slots=True)
class UsedCalendar:
    """The calendar, and the number of its version, that a version was published with."""

    id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """A version of a tariff; numbers count from 1."""

    id: UUID
    tariff_id: UUID
    number: int
    status: Status
    terms: Terms
    calendar: UsedCalendar | None = None
    published: VersionStep | None = None
    withdrawn: VersionStep | None = None
    withdrawal: Withdrawal | None = None

    @property
    def in_force_to(self) -> date | None:
        """The local date from which it is out of force, whether it ends or was withdrawn."""
        withdrawn_from = self.withdrawal.from_on if self.withdrawal is not None else None
        ends = (self.terms.effective_to, withdrawn_from)
        return min((day for day in ends if day is not None), default=None)


def check_document(tariff: Tariff, version_id: UUID, document: Document) -> None:
    """Rejected, with the path of every fault, unless bills can be made of it for this tariff."""
    described = tariff_described(version_id, document)
    faults = tuple(
        Fault(f"/document/{name}", f"must be the tariff's, {of_tariff}")
        for name, of_document, of_tariff in (
            ("currency", described.currency, tariff.currency),
            ("zone", described.zone, tariff.zone),
        )
        if of_document != of_tariff
    )
    if faults:
        raise Rejected("foreign_document", "the document is not of this tariff", faults)


def tariff_described(version_id: UUID, document: Document) -> rating.TariffVersion:
    """What the rating engine makes of a document; Rejected with the path of every fault."""
    try:
        return tariff_version(version_id, document)
    except Rejected as refused:
        faults = tuple(Fault(f"/document{fault.path}", fault.detail) for fault in refused.faults)
        raise Rejected(refused.code, refused.detail, faults) from None


def calendar_named(document: Document) -> UUID | None:
    """The calendar that a draft names, if it does; Rejected where it also has one of its own."""
    if CALENDAR_ID not in document:
        return None
    if "calendar" in document:
        raise bad_calendar("must not stand beside a calendar of the document's own")
    try:
        return UUID(document[CALENDAR_ID])
    except (ValueError, TypeError, AttributeError):
        raise bad_calendar("must be the id of a calendar") from None


def with_calendar(document: Document, calendar: Document) -> Document:
    """The document with a calendar in place of the name of one."""
    rest = {name: value for name, value in document.items() if name != CALENDAR_ID}
    return rest | {"calendar": dict(calendar)}


def has_terms(version: TariffVersion, terms: Terms) -> bool:
    """Whether a version was made of these terms, which may name the calendar that it has now."""
    named = calendar_named(terms.document)
    if version.calendar is not None and named == version.calendar.id:
        own = version.terms.document["calendar"]
        terms = replace(terms, document=with_calendar(terms.document, own))
    return version.terms == terms


def bad_calendar(detail: str) -> Rejected:
    """The answer where the calendar that a document names cannot be used."""
    fault = Fault(f"/document/{CALENDAR_ID}", detail)
    return Rejected("invalid_tariff", f"{fault.path}: {detail}", (fault,))


def withdraw_from(version: TariffVersion, reason: str, from_on: date | None) -> Withdrawal | None:
    """The withdrawal of a version from a local date on, or from its beginning; None if it is so.

    Conflict for a draft and for a version that was withdrawn otherwise; Rejected for a date on
    which it is out of force already.
    """
    if version.status == "draft":
        raise Conflict("version_unpublished", "only a published version can be withdrawn")
    begins_on, ends_on = version.terms.effective_from, version.terms.effective_to
    withdrawal = Withdrawal(max(from_on or begins_on, begins_on), reason)
    if version.withdrawal is not None:
        if version.withdrawal.from_on != withdrawal.from_on:
            detail = f"it was withdrawn from {version.withdrawal.from_on} on"
            raise Conflict("version_withdrawn", detail)
        return None
    if ends_on is not None and withdrawal.from_on >= ends_on:
        fault = Fault("/from_on", f"must lie before the version's end, {ends_on}")
        raise Rejected("withdrawn_too_late", "the version has ended by then", (fault,))
    return withdrawal
