"""Versions of tariffs: drafts, what was published for good, and what was withdrawn.

Owns the life of a version: a draft may change, a published version never does and may only be
withdrawn. Refuses documents that contradict their tariff or that the rating engine cannot rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from kernel.errors import Conflict, Fault, NotFound, Rejected
from rating.document import tariff_version
from rating.tariff import TariffVersion
from tariff.domain.catalogue import Tariff

Status = Literal["draft", "published", "withdrawn"]
Document = Mapping[str, Any]
"""A tariff's JSON form, `contracts.tariff`; a draft's may name a calendar instead of having one."""
CALENDAR_ID = "calendar_id"


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
class Step:
    """A step in a version's life: when, and by which API key."""

    at: datetime
    key_id: str


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
class Version:
    """A version of a tariff; numbers count from 1."""

    id: UUID
    tariff_id: UUID
    number: int
    status: Status
    terms: Terms
    calendar: UsedCalendar | None = None
    published: Step | None = None
    withdrawn: Step | None = None
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


def tariff_described(version_id: UUID, document: Document) -> TariffVersion:
    """What the rating engine makes of a document; Rejected with the path of every fault."""
    try:
        return tariff_version(version_id, document)
    except Rejected as refused:
        faults = tuple(Fault(f"/document{each.path}", each.detail) for each in refused.faults)
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
    named = {name: value for name, value in document.items() if name != CALENDAR_ID}
    return named | {"calendar": dict(calendar)}


def says(version: Version, terms: Terms) -> bool:
    """Whether a version was made of these terms, which may name the calendar that it has now."""
    named = calendar_named(terms.document)
    if version.calendar is not None and named == version.calendar.id:
        own = version.terms.document["calendar"]
        terms = replace(terms, document=with_calendar(terms.document, own))
    return version.terms == terms


def bad_calendar(detail: str) -> Rejected:
    """The calendar that a document names cannot be taken."""
    fault = Fault(f"/document/{CALENDAR_ID}", detail)
    return Rejected("invalid_tariff", f"{fault.path}: {detail}", (fault,))


def check_draft(status: str) -> None:
    """Conflict unless a version may still change."""
    if status != "draft":
        raise Conflict("version_immutable", f"a {status} version never changes")


def may_publish(status: str) -> bool:
    """Whether publishing changes anything; Conflict where it must not."""
    if status == "withdrawn":
        raise Conflict("version_withdrawn", "a withdrawn version is never published again")
    return status == "draft"


def withdraw_from(version: Version, reason: str, from_on: date | None) -> Withdrawal | None:
    """The withdrawal of a version from a local date on, or from its beginning; None if it is so.

    Conflict for a draft and for a version that was withdrawn otherwise; Rejected for a date on
    which it is out of force already.
    """
    if version.status == "draft":
        raise Conflict("version_unpublished", "only a published version can be withdrawn")
    begins_on, ends_on = version.terms.effective_from, version.terms.effective_to
    wanted = Withdrawal(max(from_on or begins_on, begins_on), reason)
    if version.withdrawal is not None:
        if version.withdrawal.from_on != wanted.from_on:
            detail = f"it was withdrawn from {version.withdrawal.from_on} on"
            raise Conflict("version_withdrawn", detail)
        return None
    if ends_on is not None and wanted.from_on >= ends_on:
        fault = Fault("/from_on", f"must lie before the version's end, {ends_on}")
        raise Rejected("withdrawn_too_late", "the version has ended by then", (fault,))
    return wanted


def unknown_version() -> NotFound:
    """There is no such version."""
    return NotFound("version_unknown", "there is no version of this number")
