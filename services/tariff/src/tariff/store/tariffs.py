"""Tariffs as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from tariff.domain.catalogue import Tariff, code_taken, in_use, unknown_region
from tariff.domain.stored import Stored
from tariff.domain.versions import Status
from tariff.store.rows import (
    Place,
    answering,
    change_one,
    delete_one,
    equal,
    fetch_one,
    fetch_page,
    holding,
    insert_new,
    stored,
)
from tariff.store.versions import in_force_on
from tariff.tables import tariff, version

_FIELDS = ("code", "name", "currency", "zone", "region_id")
_ANSWERS = {"tariff_code": code_taken("tariff"), "tariff_region": unknown_region("/region_id")}


@dataclass(frozen=True, slots=True)
class TariffFilter:
    """Which tariffs are asked for: whose columns are `equal`, and whose versions meet the rest."""

    equal: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    status: Status | None = None
    in_force_on: date | None = None
    region_ids: Sequence[UUID] | None = None


def _of(row: RowMapping) -> Stored[Tariff]:
    return stored(Tariff(row["id"], *(row[name] for name in _FIELDS)), row)


async def insert_tariff(tx: WriteConnection, tenant_id: str, new: Tariff) -> Stored[Tariff] | None:
    """Insert, or None where the id is taken; Conflict for a code, Rejected for a region."""
    columns = {"id": new.id} | {name: getattr(new, name) for name in _FIELDS}
    with answering(_ANSWERS):
        return await insert_new(tx, tariff, tenant_id, columns, _of)


async def fetch_tariff(
    read: ReadConnection, tenant_id: str, id_: UUID, *, lock: bool = False
) -> Stored[Tariff] | None:
    """The tariff, if there is one; with `lock`, held until the transaction ends."""
    return await fetch_one(read, tariff, tenant_id, id_, _of, lock=lock)


async def list_tariffs(
    read: ReadConnection, tenant_id: str, wanted: TariffFilter, place: Place
) -> list[Stored[Tariff]]:
    """A page of the tariffs that are asked for."""
    clauses = equal(tariff, wanted.equal) + holding(tariff, wanted.text)
    if wanted.region_ids is not None:
        clauses.append(tariff.c.region_id.in_(wanted.region_ids))
    if wanted.status is not None:
        clauses.append(_has_version(version.c.status == wanted.status))
    if wanted.in_force_on is not None:
        clauses.append(_has_version(*in_force_on(wanted.in_force_on)))
    return await fetch_page(read, tariff, tenant_id, clauses, place, _of)


def _has_version(*clauses: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        version.c.tenant_id == tariff.c.tenant_id, version.c.tariff_id == tariff.c.id, *clauses
    )


async def update_tariff(tx: WriteConnection, tenant_id: str, changed: Tariff) -> Stored[Tariff]:
    """Store the new name and region as the next revision; Rejected for an unknown region."""
    columns = {"name": changed.name, "region_id": changed.region_id}
    with answering(_ANSWERS):
        return await change_one(tx, tariff, tenant_id, changed.id, columns, _of)


async def delete_tariff(tx: WriteConnection, tenant_id: str, id_: UUID) -> None:
    """Delete a tariff; Conflict where it has versions."""
    with answering({"tariff_version_tenant_id_tariff_id_fkey": in_use("tariff", "versions")}):
        await delete_one(tx, tariff, tenant_id, id_)
