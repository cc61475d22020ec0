"""Versions of tariffs: drafting, replacing, publishing and withdrawing them.

Whoever changes a version locks its tariff's row, so that no number is given twice and events keep
their order.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging import enqueue
from gridtally.tariff.documents import check_tariff_shape
from gridtally.tariff.domain.tariff_versions import (
    CALENDAR_ID,
    TariffVersion,
    Terms,
    UsedCalendar,
    bad_calendar,
    calendar_named,
    check_document,
    has_terms,
    with_calendar,
    withdraw_from,
)
from gridtally.tariff.domain.tariffs import Tariff
from gridtally.tariff.domain.versions import (
    Document,
    VersionStep,
    check_draft,
    id_of_another_version,
    may_publish,
)
from gridtally.tariff.events import tariff_published
from gridtally.tariff.handlers import catalogue
from gridtally.tariff.handlers import versions as handlers
from gridtally.tariff.store import calendar_versions, tariff_versions, versions
from gridtally.tariff.store.tariff_versions import TARIFF_VERSIONS, columns_of
from gridtally.tariff.store.tariffs import TARIFFS


async def lock_version(
    tx: WriteConnection, tenant_id: str, tariff_id: UUID, number: int
) -> tuple[Tariff, Stored[TariffVersion]]:
    """The tariff and its version, both locked until the transaction ends; NotFound."""
    tariff = await catalogue.lock(tx, tenant_id, TARIFFS, tariff_id)
    version = await handlers.lock(tx, tenant_id, TARIFF_VERSIONS, tariff_id, number)
    return tariff.resource, version


async def draft_version(
    tx: WriteConnection, cause: Cause, tariff: Tariff, id_: UUID, terms: Terms, now: datetime
) -> tuple[Stored[TariffVersion], bool]:
    """A new draft of a locked tariff, and whether it is new; Conflict for an id of another."""
    known = await versions.fetch_version(tx, cause.tenant_id, TARIFF_VERSIONS, id_)
    if known is not None:
        if known.resource.tariff_id != tariff.id or not has_terms(known.resource, terms):
            raise id_of_another_version(id_)
        return known, False
    await _complete(tx, cause.tenant_id, tariff, id_, terms.document)
    draft = await versions.insert_draft(
        tx, cause.tenant_id, TARIFF_VERSIONS, tariff.id, id_, columns_of(terms), now
    )
    return draft, True


async def replace_draft(
    tx: WriteConnection,
    cause: Cause,
    tariff: Tariff,
    current: Stored[TariffVersion],
    terms: Terms,
    now: datetime,
) -> Stored[TariffVersion]:
    """Put other terms into a locked draft; Conflict once it is published."""
    version = current.resource
    check_draft(version.status)
    if terms == version.terms:
        return current
    await _complete(tx, cause.tenant_id, tariff, version.id, terms.document)
    return await tariff_versions.update_terms(tx, cause.tenant_id, version.id, terms, now)


async def change_draft(
    tx: WriteConnection,
    cause: Cause,
    tariff: Tariff,
    current: Stored[TariffVersion],
    changes: Mapping[str, Any],
    now: datetime,
) -> Stored[TariffVersion]:
    """Change some of a locked draft's terms; Conflict once it is published."""
    terms = replace(current.resource.terms, **changes)
    return await replace_draft(tx, cause, tariff, current, terms, now)


async def delete_draft(tx: WriteConnection, cause: Cause, current: Stored[TariffVersion]) -> None:
    """Delete a locked draft, whose number is not given again; Conflict once it is published."""
    check_draft(current.resource.status)
    await versions.delete_draft(tx, cause.tenant_id, TARIFF_VERSIONS, current.resource.id)


async def publish(
    tx: WriteConnection,
    cause: Cause,
    tariff: Tariff,
    current: Stored[TariffVersion],
    now: datetime,
) -> Stored[TariffVersion]:
    """Put a locked draft in force for good, with the calendar that it names as it is now.

    A published version stays as it is.
    """
    version = current.resource
    if not may_publish(version.status):
        return current
    document, calendar = await _complete(
        tx, cause.tenant_id, tariff, version.id, version.terms.document
    )
    published = await tariff_versions.publish_version(
        tx,
        cause.tenant_id,
        version.id,
        VersionStep(now, cause.key_id),
        replace(version.terms, document=document),
        calendar,
    )
    await enqueue(tx, [tariff_published(tariff, published.resource, cause, now)])
    return published


async def withdraw(
    tx: WriteConnection,
    cause: Cause,
    tariff: Tariff,
    current: Stored[TariffVersion],
    now: datetime,
    *,
    reason: str,
    from_on: date | None,
) -> Stored[TariffVersion]:
    """Take a locked version out of force from a local date on, or as if it had never been."""
    withdrawal = withdraw_from(current.resource, reason, from_on)
    if withdrawal is None:
        return current
    step = VersionStep(now, cause.key_id)
    withdrawn = await tariff_versions.withdraw_version(
        tx, cause.tenant_id, current.resource.id, step, withdrawal
    )
    await enqueue(tx, [tariff_published(tariff, withdrawn.resource, cause, now)])
    return withdrawn


async def find_faults(
    read: ReadConnection,
    tenant_id: str,
    tariff: Tariff,
    effective_from: date,
    effective_to: date | None,
    document: Document,
) -> tuple[Fault, ...]:
    """Everything that keeps such a version from being published, once for each path."""
    by_path: dict[str, Fault] = {}

    def note(refused: Rejected) -> None:
        for fault in refused.faults:
            by_path.setdefault(fault.path, fault)

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
    return tuple(by_path.values())


async def complete_document(
    read: ReadConnection, tenant_id: str, document: Document
) -> tuple[Document, UsedCalendar | None]:
    """The document with the newest version of the calendar that it names, if it names one.

    Rejected where there is no such calendar, or none that is published.
    """
    calendar_id = calendar_named(document)
    if calendar_id is None:
        return document, None
    newest = await calendar_versions.fetch_newest(read, tenant_id, calendar_id)
    if newest is None:
        raise bad_calendar("must be a calendar with a published version")
    used = UsedCalendar(calendar_id, newest.resource.number)
    return with_calendar(document, newest.resource.document), used


async def _complete(
    tx: WriteConnection, tenant_id: str, tariff: Tariff, version_id: UUID, document: Document
) -> tuple[Document, UsedCalendar | None]:
    """The complete document, after a check that bills can be made of it.

    The engine's faults come first: they name every path; the schema's limits after that.
    """
    complete, calendar = await complete_document(tx, tenant_id, document)
    check_document(tariff, version_id, complete)
    check_tariff_shape(complete)
    return complete, calendar
