"""The catalogue: regions, tariffs and their versions.

Owns the life of a version: a draft may change, a published version never does and may only be
withdrawn. Refuses documents that contradict their tariff or that the rating engine cannot rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from kernel.errors import Conflict, Fault, Rejected
from rating.document import tariff_version

Status = Literal["draft", "published", "withdrawn"]
Document = Mapping[str, Any]
"""A tariff's JSON form, `contracts.tariff`."""


@dataclass(frozen=True, slots=True)
class Region:
    """A municipality or grid area, with its IANA time zone."""

    id: UUID
    code: str
    name: str
    zone: str


@dataclass(frozen=True, slots=True)
class Tariff:
    """What customers sign up for; all its versions are in its currency and on its clock."""

    id: UUID
    code: str
    name: str
    currency: str
    zone: str
    region_id: UUID | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a version says: its document, from a local date up to, but without, another."""

    effective_from: date
    effective_to: date | None
    document: Document

    def __post_init__(self) -> None:
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            fault = Fault("/effective_to", "must lie after effective_from")
            raise Rejected("empty_period", "the version is never in force", (fault,))


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a tariff; numbers count from 1."""

    id: UUID
    tariff_id: UUID
    number: int
    status: Status
    terms: Terms


def check_terms(tariff: Tariff, version_id: UUID, terms: Terms) -> None:
    """Rejected, with the path of every fault, unless bills can be made of it for this tariff."""
    try:
        described = tariff_version(version_id, terms.document)
    except Rejected as refused:
        faults = tuple(Fault(f"/document{each.path}", each.detail) for each in refused.faults)
        raise Rejected(refused.code, refused.detail, faults) from None
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


def check_draft(version: Version) -> None:
    """Conflict unless the version may still change."""
    if version.status != "draft":
        raise Conflict("version_immutable", f"a {version.status} version never changes")


def may_publish(version: Version) -> bool:
    """Whether publishing changes anything; Conflict where it must not."""
    if version.status == "withdrawn":
        raise Conflict("version_withdrawn", "a withdrawn version is never published again")
    return version.status == "draft"


def may_withdraw(version: Version) -> bool:
    """Whether withdrawing changes anything; Conflict for a draft."""
    if version.status == "draft":
        raise Conflict("version_unpublished", "only a published version can be withdrawn")
    return version.status == "published"
