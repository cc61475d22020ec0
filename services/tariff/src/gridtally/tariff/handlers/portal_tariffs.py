"""Portal tariffs: documents of customer portals as drafts of a tariff's versions."""

from datetime import datetime
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.kernel.resources import Cause, Stored
from gridtally.portal_tariffs import Incomplete, Note
from gridtally.tariff.domain.portal_tariffs import imported_terms
from gridtally.tariff.domain.tariff_versions import TariffVersion, Terms
from gridtally.tariff.domain.tariffs import Tariff
from gridtally.tariff.handlers.tariff_versions import draft_version


async def import_draft(
    tx: WriteConnection,
    cause: Cause,
    tariff: Tariff,
    id_: UUID,
    portal_terms: Terms,
    now: datetime,
    *,
    incomplete: Incomplete,
) -> tuple[Stored[TariffVersion], bool, tuple[Note, ...]]:
    """A new draft of a locked tariff, whether it is new, and notes on what is not in it.

    The document of `portal_terms` is the portal's. Rejected where it cannot be imported; Conflict
    for an id of another version.
    """
    terms, notes = imported_terms(tariff, portal_terms, incomplete)
    stored, created = await draft_version(tx, cause, tariff, id_, terms, now)
    return stored, created, notes
