"""Versions: drafting, replacing, publishing and withdrawing them.

Whoever changes a version holds its tariff's row, so that numbers have no gaps and events keep
their order.
"""

from uuid import UUID

from database import WriteConnection
from kernel.errors import Conflict, NotFound
from messaging import enqueue
from tariff.domain.catalogue import (
    Tariff,
    Terms,
    Version,
    check_draft,
    check_terms,
    may_publish,
    may_withdraw,
)
from tariff.domain.stored import Stored
from tariff.handlers.catalogue import unknown_tariff
from tariff.store import tariffs, versions
from tariff.wire import Cause, check_shape, tariff_published


async def lock_tariff(tx: WriteConnection, tenant_id: str, tariff_id: UUID) -> Tariff:
    """The tariff, held until the transaction ends; NotFound."""
    found = await tariffs.fetch_tariff(tx, tenant_id, tariff_id, lock=True)
    if found is None:
        raise unknown_tariff()
    return found.thing


async def lock_version(
    tx: WriteConnection, tenant_id: str, tariff_id: UUID, number: int
) -> tuple[Tariff, Stored[Version]]:
    """The tariff and its version, both held until the transaction ends; NotFound."""
    tariff = await lock_tariff(tx, tenant_id, tariff_id)
    found = await versions.fetch_numbered(tx, tenant_id, tariff_id, number, lock=True)
    if found is None:
        raise unknown_version()
    return tariff, found


async def draft_version(
    tx: WriteConnection, cause: Cause, tariff: Tariff, id_: UUID, terms: Terms
) -> tuple[Stored[Version], bool]:
    """A new draft of a locked tariff, and whether it is new; Conflict for an id of another."""
    known = await versions.fetch_version(tx, cause.tenant_id, id_)
    if known is not None:
        if known.thing.tariff_id != tariff.id or known.thing.terms != terms:
            raise Conflict("version_exists", f"another version has the id {id_}")
        return known, False
    _check(tariff, id_, terms)
    return await versions.insert_draft(tx, cause.tenant_id, tariff.id, id_, terms), True


async def replace_draft(
    tx: WriteConnection, cause: Cause, tariff: Tariff, current: Stored[Version], terms: Terms
) -> Stored[Version]:
    """Put other terms into a draft; Conflict once it is published."""
    check_draft(current.thing)
    _check(tariff, current.thing.id, terms)
    return await versions.update_terms(tx, cause.tenant_id, current.thing.id, terms)


async def publish(
    tx: WriteConnection, cause: Cause, tariff: Tariff, current: Stored[Version]
) -> Stored[Version]:
    """Put a draft in force for good; a published version stays as it is."""
    if not may_publish(current.thing):
        return current
    _check(tariff, current.thing.id, current.thing.terms)
    published = await versions.update_status(tx, cause.tenant_id, current.thing.id, "published")
    at = published.updated_at
    await enqueue(tx, [tariff_published(tariff, published.thing, "published", cause, at)])
    return published


async def withdraw(
    tx: WriteConnection, cause: Cause, tariff: Tariff, current: Stored[Version]
) -> Stored[Version]:
    """Take a published version out of force for what is billed from now on."""
    if not may_withdraw(current.thing):
        return current
    withdrawn = await versions.update_status(tx, cause.tenant_id, current.thing.id, "withdrawn")
    at = withdrawn.updated_at
    await enqueue(tx, [tariff_published(tariff, withdrawn.thing, "withdrawn", cause, at)])
    return withdrawn


def _check(tariff: Tariff, version_id: UUID, terms: Terms) -> None:
    """The engine's faults first: they name every place; the schema's limits after that."""
    check_terms(tariff, version_id, terms)
    check_shape(terms.document)


def unknown_version() -> NotFound:
    """There is no such version."""
    return NotFound("version_unknown", "the tariff has no version of this number")
