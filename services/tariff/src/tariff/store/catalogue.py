"""Regions, tariffs, calendars and price series as rows: a table each, and a column per field.

Owns what these four have in common. What only one of them can be asked for stands in its own file.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from database import ReadConnection, WriteConnection
from kernel.errors import Rejected
from tariff import tables
from tariff.domain.catalogue import (
    Calendar,
    PriceSeries,
    Region,
    Tariff,
    Thing,
    code_taken,
    in_use,
    unknown_region,
)
from tariff.domain.stored import Stored
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


@dataclass(frozen=True, slots=True)
class Kind(Generic[Thing]):
    """One of the four: its name among people, its table, and which of its fields may change.

    `broken` are the answers to an insert or a change that breaks a constraint, `needed` those to
    a deletion, by the constraint's name.
    """

    what: str
    thing: type[Thing]
    table: sa.Table
    changeable: tuple[str, ...]
    broken: Mapping[str, Rejected]
    needed: Mapping[str, Rejected] = field(default_factory=dict)

    def of(self, row: RowMapping) -> Stored[Thing]:
        """The thing that a row holds."""
        fields = dataclasses.fields(self.thing)
        return stored(self.thing(**{each.name: row[each.name] for each in fields}), row)

    def matching(
        self, filters: Mapping[str, Any], text: str | None = None
    ) -> list[sa.ColumnElement[bool]]:
        """Clauses for those whose fields equal `filters` and whose code or name holds `text`."""
        return equal(self.table, filters) + holding(self.table, text)


REGIONS = Kind(
    "region",
    Region,
    tables.region,
    ("code", "name", "zone", "kind", "parent_id"),
    {"region_code": code_taken("region"), "region_parent": unknown_region("/parent_id")},
    {
        "region_parent": in_use("region", "regions within it"),
        "tariff_region": in_use("region", "tariffs"),
    },
)
TARIFFS = Kind(
    "tariff",
    Tariff,
    tables.tariff,
    ("name", "region_id"),
    {"tariff_code": code_taken("tariff"), "tariff_region": unknown_region("/region_id")},
    {"tariff_version_tenant_id_tariff_id_fkey": in_use("tariff", "versions")},
)
CALENDARS = Kind(
    "calendar",
    Calendar,
    tables.calendar,
    ("code", "name"),
    {"calendar_code": code_taken("calendar")},
    {"calendar_version_calendar": in_use("calendar", "versions")},
)
PRICE_SERIES = Kind(
    "price series",
    PriceSeries,
    tables.price_series,
    ("name",),
    {"price_series_code": code_taken("price series")},
)


async def insert(
    tx: WriteConnection, tenant_id: str, kind: Kind[Thing], new: Thing
) -> Stored[Thing] | None:
    """Insert, or None where the id is taken; Conflict for a code, Rejected for a region."""
    with answering(kind.broken):
        return await insert_new(tx, kind.table, tenant_id, dataclasses.asdict(new), kind.of)


async def fetch(
    read: ReadConnection, tenant_id: str, kind: Kind[Thing], id_: UUID, *, lock: bool = False
) -> Stored[Thing] | None:
    """The thing, if there is one; with `lock`, held until the transaction ends."""
    return await fetch_one(read, kind.table, tenant_id, id_, kind.of, lock=lock)


async def list_page(
    read: ReadConnection,
    tenant_id: str,
    kind: Kind[Thing],
    clauses: Sequence[sa.ColumnElement[bool]],
    place: Place,
) -> list[Stored[Thing]]:
    """A page of the things that meet the clauses."""
    return await fetch_page(read, kind.table, tenant_id, clauses, place, kind.of)


async def update(
    tx: WriteConnection, tenant_id: str, kind: Kind[Thing], changed: Thing
) -> Stored[Thing]:
    """Store what may change as the next revision; Conflict for a code, Rejected for a region."""
    columns: dict[str, Any] = {name: getattr(changed, name) for name in kind.changeable}
    with answering(kind.broken):
        return await change_one(tx, kind.table, tenant_id, changed.id, columns, kind.of)


async def delete(tx: WriteConnection, tenant_id: str, kind: Kind[Thing], id_: UUID) -> None:
    """Delete a thing that is held; Conflict where others are built on it."""
    with answering(kind.needed):
        await delete_one(tx, kind.table, tenant_id, id_)
