"""Versions of tariffs: drafting, replacing, publishing and withdrawing them.

Whoever changes a version holds its tariff's row, so that no number is given twice and events keep
their order.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from database import ReadConnection, WriteConnection
from kernel.errors import Conflict, Fault, Rejected
from messaging import enqueue
from tariff.domain.catalogue import Tariff
from tariff.domain.stored import Stored
from tariff.domain.versions import (
    CALENDAR_ID,
    Document,
    Terms,
    UsedCalendar,
    Version,
    bad_calendar,
    calendar_named,
    check_document,
    check_draft,
    may_publish,
    says,
    with_calendar,
    withdraw_from,
)
from tariff.handlers.catalogue import find, find_version
from tariff.store import calendars, numbered, versions
from tariff.store.catalogue import TARIFFS
from tariff.store.versions import TARIFF_VERSIONS, columns_of
from tariff.wire import Cause, check_tariff_shape, tariff_published


async def lock_tariff(tx: WriteConnection, tenant_id: str, tariff_id: UUID) -> Tariff:
    """The tariff, held until the transaction ends; NotFound."""
    return (await find(tx, tenant_id, TARIFFS, tariff_id, lock=True)).thing


async def lock_version(
    tx: WriteConnection, tenant_id: str, tariff_id: UUID, number: int
) -> tuple[Tariff, Stored[Version]]:
    """The tariff and its version, both held until the transaction ends; NotFound."""
    tariff = await lock_tariff(tx, tenant_id, tariff_id)
    return tariff, await find_version(tx, tenant_id, TARIFF_VERSIONS, tariff_id, number, lock=True)


async def draft_version(
    tx: WriteConnection, cause: Cause, tariff: Tariff, id_: UUID, terms: Terms
) -> tuple[Stored[Version], bool]:
    """A new draft of a locked tariff, and whether it is new; Conflict for an id of another."""
    known = await numbered.fetch_version(tx, cause.tenant_id, TARIFF_VERSIONS, id_)
    if known is not None:
        if known.thing.tariff_id != tariff.id or not says(known.thing, terms):
            raise Conflict("version_exists", f"another version has the id {id_}")
        return known, False
    await _complete(tx, cause.tenant_id, tariff, id_, terms.document)
    draft = await numbered.insert_draft(
        tx, cause.tenant_id, TARIFF_VERSIONS, tariff.id, id_, columns_of(terms)
    )
    return draft, True


async def replace_draft(
    tx: WriteConnection, cause: Cause, tariff: Tariff, current: Stored[Version], terms: Terms
) -> Stored[Version]:
    """Put other terms into a draft; Conflict once it is published."""
    check_draft(current.thing.status)
    if terms == current.thing.terms:
        return current
    await _complete(tx, cause.tenant_id, tariff, current.thing.id, terms.document)
    return await versions.update_terms(tx, cause.tenant_id, current.thing.id, terms)


async def change_draft(
    tx: WriteConnection,
    cause: Cause,
    tariff: Tariff,
    current: Stored[Version],
    changes: Mapping[str, Any],
) -> Stored[Version]:
    """Change some of a draft's terms; Conflict once it is published."""
    terms = replace(current.thing.terms, **changes)
    return await replace_draft(tx, cause, tariff, current, terms)


async def delete_draft(tx: WriteConnection, cause: Cause, current: Stored[Version]) -> None:
    """Delete a draft, whose number is not given again; Conflict once it is published."""
    check_draft(current.thing.status)
    await numbered.delete_draft(tx, cause.tenant_id, TARIFF_VERSIONS, current.thing.id)


async def publish(
    tx: WriteConnection, cause: Cause, tariff: Tariff, current: Stored[Version]
) -> Stored[Version]:
    """Put a draft in force for good, with the calendar that it names as it is now.

    A published version stays as it is.
    """
    if not may_publish(current.thing.status):
        return current
    id_, terms = current.thing.id, current.thing.terms
    document, calendar = await _complete(tx, cause.tenant_id, tariff, id_, terms.document)
    complete = replace(terms, document=document)
    published = await versions.publish_version(
        tx, cause.tenant_id, id_, cause.key_id, complete, calendar
    )
    await enqueue(tx, [tariff_published(tariff, published.thing, cause, published.updated_at)])
    return published


async def withdraw(
    tx: WriteConnection,
    cause: Cause,
    tariff: Tariff,
    current: Stored[Version],
    *,
    reason: str,
    from_on: date | None,
) -> Stored[Version]:
    """Take a published version out of force from a local date on, or as if it had never been."""
    withdrawal = withdraw_from(current.thing, reason, from_on)
    if withdrawal is None:
        return current
    withdrawn = await versions.withdraw_version(
        tx, cause.tenant_id, current.thing.id, cause.key_id, withdrawal
    )
    await enqueue(tx, [tariff_published(tariff, withdrawn.thing, cause, withdrawn.updated_at)])
    return withdrawn


async def find_faults(
    read: ReadConnection,
    tenant_id: str,
    tariff: Tariff,
    effective_from: date,
    effective_to: date | None,
    document: Document,
) -> tuple[Fault, ...]:
    """Everything that keeps such a version from being published, each place told once."""
    found_at: dict[str, Fault] = {}

    def note(refused: Rejected) -> None:
        for fault in refused.faults:
            found_at.setdefault(fault.path, fault)

    try:
        Terms(effective_from, effective_to, document)
    except Rejected as refused:
        note(refused)
    try:
        document, _ = await complete_document(read, tenant_id, document)
    except Rejected as refused:
        note(refused)
        document = {name: value for name, value in document.items() if name != CALENDAR_ID}
    for check in (partial(check_document, tariff, tariff.id), check_tariff_shape):
        try:
            check(document)
        except Rejected as refused:
            note(refused)
    return tuple(found_at.values())


async def complete_document(
    read: ReadConnection, tenant_id: str, document: Document
) -> tuple[Document, UsedCalendar | None]:
    """The document with the newest version of the calendar that it names, if it names one.

    Rejected where there is no such calendar, or none that is published.
    """
    calendar_id = calendar_named(document)
    if calendar_id is None:
        return document, None
    newest = await calendars.fetch_newest(read, tenant_id, calendar_id)
    if newest is None:
        raise bad_calendar("must be a calendar with a published version")
    used = UsedCalendar(calendar_id, newest.thing.number)
    return with_calendar(document, newest.thing.document), used


async def _complete(
    tx: WriteConnection, tenant_id: str, tariff: Tariff, version_id: UUID, document: Document
) -> tuple[Document, UsedCalendar | None]:
    """The complete document, seen to be one that bills can be made of.

    The engine's faults come first: they name every place; the schema's limits after that.
    """
    complete, calendar = await complete_document(tx, tenant_id, document)
    check_document(tariff, version_id, complete)
    check_tariff_shape(complete)
    return complete, calendar
