"""Versions of calendars: drafts, and what was published for good. The next one replaces it."""

from dataclasses import dataclass
from uuid import UUID

from gridtally.tariff.domain.versions import Document, Status, VersionStep


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """A version of a calendar; numbers count from 1, and the highest published one is in use."""

    id: UUID
    calendar_id: UUID
    number: int
    status: Status
    document: Document
    published: VersionStep | None = None
