"""`/v1/tariffs/{id}/versions/import`: versions drafted from what customer portals store."""

from datetime import date
from typing import Any, Literal, Self
from uuid import UUID

from fastapi import Response

from gridtally.contracts.model import Text
from gridtally.database import transaction
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel, Body, answer_created
from gridtally.kernel.errors import Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored
from gridtally.portal_tariffs import Note
from gridtally.tariff.api.callers import WriteCause
from gridtally.tariff.api.tariff_versions import TariffVersion
from gridtally.tariff.domain import tariff_versions as domain
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.handlers import portal_tariffs as handlers
from gridtally.tariff.store.tariffs import TARIFFS

router = Router(prefix="/v1/tariffs/{tariff_id}/versions/import", tags=["tariff versions"])


class NewPortalTariff(Body):
    """A tariff as a customer portal stores it, and when the version that it becomes is in force."""

    id: UUID | None = None
    """The version's id; made by the service unless the caller names one."""
    effective_from: date
    """The first local date on which it is in force."""
    effective_to: date | None = None
    """The local date from which it is no longer in force; null for no end."""
    note: Text | None = None
    """What is new in it, for people."""
    portal_tariff: dict[str, Any]
    """The portal's document: `time_bands` with `days` and `times`, and `components` with an `id`
    and a `rate_schedule` of one `value` in cents."""
    incomplete: bool = False
    """Whether it is also imported without charges that cannot be, which `notes` then name."""


class ImportNote(AnswerModel):
    """What became of a field of the portal's document."""

    kind: Literal["convention", "not_imported", "not_understood", "descriptive"]
    """`convention`: how it was read, where the document leaves it open; `not_imported` and
    `not_understood`: what may cost money and is not charged; `descriptive`: what charges
    nothing."""
    path: str
    """Where it stands in the portal's document, as a JSON pointer."""
    detail: str
    """What became of it, for people."""

    @classmethod
    def of(cls, note: Note) -> Self:
        """The note as the API shows it."""
        return cls(kind=note.kind, path=note.path, detail=note.detail)


class ImportedVersion(AnswerModel):
    """The draft that a portal's document became, to be looked at and published."""

    draft: TariffVersion
    """The version, which is in force once it is published."""
    notes: list[ImportNote]
    """What became of every field that is not charged as it stands, in their order."""


@router.post("", status_code=201)
async def import_portal_tariff(
    tariff_id: UUID, new: NewPortalTariff, db: Db, cause: WriteCause, now: Now, response: Response
) -> ImportedVersion:
    """Draft a version from a portal's document, with a report of what is not understood.

    It is read on the clock and in the currency of the tariff. The same again, by its id, answers
    200 with what exists.
    """
    terms = domain.Terms(new.effective_from, new.effective_to, new.portal_tariff, new.note)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        tariff = await catalogue.lock(tx, cause.tenant_id, TARIFFS, tariff_id)
        try:
            stored, created, notes = await handlers.import_draft(
                tx,
                cause,
                tariff.resource,
                new.id or new_id(),
                terms,
                now,
                incomplete="accepted" if new.incomplete else "refused",
            )
        except Rejected as error:
            if error.code in ("invalid_portal_tariff", "incomplete_portal_tariff"):
                raise error.relocated("", "/portal_tariff") from None
            raise

    def shown(version: Stored[domain.TariffVersion]) -> ImportedVersion:
        return ImportedVersion(
            draft=TariffVersion.of(version), notes=[ImportNote.of(note) for note in notes]
        )

    location = f"/v1/tariffs/{tariff_id}/versions/{stored.resource.number}"
    return answer_created(response, stored, shown, created=created, location=location)
