"""Derived meters: what they are the sum of, as the registry says, and which are made of others."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson

from gridtally.billing import tables
from gridtally.billing.domain.reference_data import Key
from gridtally.contracts.metering import MeterDefined
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import columns_of, insert_rows
from gridtally.metering.derived_meters import (
    BUILT_IN,
    BUILT_IN_TYPE,
    DEPTH_MAX,
    DERIVED_TYPES,
    Definition,
    Network,
    built_in,
    of_json,
)

_KEEP_NEWEST = """
ON CONFLICT (tenant_id, meter_id) DO UPDATE
   SET version = excluded.version, definitions = excluded.definitions
 WHERE meter_definition.version < excluded.version
RETURNING tenant_id, meter_id
"""


async def upsert_definitions(tx: WriteConnection, defined: Mapping[Key, MeterDefined]) -> None:
    """Store the newest definitions of each meter, and what each is made of."""
    rows = [
        {
            "tenant_id": tenant_id,
            "meter_id": meter_id,
            "version": event.version,
            "definitions": orjson.dumps(
                [own.model_dump(mode="json", include={"from_on", "terms"}) for own in
                 event.definitions]
            ).decode(),
        }
        for (tenant_id, meter_id), event in sorted(defined.items())
    ]  # fmt: skip
    changed = await insert_rows(tx, tables.meter_definition, rows, _KEEP_NEWEST)
    keys = [(row["tenant_id"], row["meter_id"]) for row in changed]
    await tx.raw.execute(
        "DELETE FROM meter_part p USING unnest($1::text[], $2::uuid[]) AS k (tenant_id, id) "
        "WHERE p.tenant_id = k.tenant_id AND p.meter_id = k.id",
        *columns_of(keys, 2),
    )
    parts = [
        {"tenant_id": key[0], "part_id": part_id, "meter_id": key[1]}
        for key in keys
        for part_id in {term.meter_id for own in defined[key].definitions for term in own.terms}
    ]
    await insert_rows(tx, tables.meter_part, parts)


# The built-in definition of `unmetered` is nobody's, and has no rows.
_SUMS = """
SELECT p.meter_id AS id FROM meter_part p WHERE p.tenant_id = $1 AND p.part_id = ANY($2)
UNION
SELECT u.id FROM meter m
  JOIN meter u ON u.tenant_id = $1 AND u.property_id = m.property_id
 WHERE m.tenant_id = $1 AND m.id = ANY($2) AND m.meter_type = ANY($3) AND u.meter_type = $4
   AND NOT EXISTS (SELECT FROM meter_definition d WHERE d.tenant_id = $1 AND d.meter_id = u.id)
"""


async def fetch_sums(
    read: ReadConnection, tenant_id: str, meter_ids: Collection[UUID]
) -> set[UUID]:
    """The derived meters that these meters are parts of at any time, also through others."""
    sums: set[UUID] = set()
    to_visit = set(meter_ids)
    for _ in range(DEPTH_MAX):
        if not to_visit:
            break
        rows = await read.raw.fetch(_SUMS, tenant_id, list(to_visit), list(BUILT_IN), BUILT_IN_TYPE)
        to_visit = {row["id"] for row in rows} - sums
        sums |= to_visit
    return sums


@dataclass(frozen=True, slots=True)
class _Known:
    """A meter, and what it is defined as, if it is derived."""

    flows: frozenset[str]
    definitions: tuple[Definition, ...] | None


_KNOWN = """
SELECT m.id, m.flows, m.meter_type, m.property_id, d.definitions
  FROM meter m LEFT JOIN meter_definition d ON d.tenant_id = $1 AND d.meter_id = m.id
 WHERE m.tenant_id = $1 AND m.id = ANY($2)
"""


async def fetch_network(
    read: ReadConnection, tenant_id: str, meter_ids: Collection[UUID]
) -> Network:
    """These meters with all that they are made of; a query for each level of sums of sums."""
    known: dict[UUID, _Known] = {}
    to_fetch = set(meter_ids)
    for _ in range(DEPTH_MAX + 1):
        if not to_fetch:
            break
        level = await _fetch_known(read, tenant_id, to_fetch)
        known |= level
        to_fetch = {
            term.meter_id
            for own in level.values()
            for definition in own.definitions or ()
            for term in definition.terms
        } - known.keys()
    return Network(
        {id_: own.flows for id_, own in known.items() if own.definitions is None},
        {id_: own.definitions for id_, own in known.items() if own.definitions is not None},
    )


async def _fetch_known(
    read: ReadConnection, tenant_id: str, meter_ids: Collection[UUID]
) -> dict[UUID, _Known]:
    known = {}
    for row in await read.raw.fetch(_KNOWN, tenant_id, list(meter_ids)):
        definitions = None
        if row["definitions"] is not None:
            definitions = of_json(row["definitions"])
        elif row["meter_type"] == BUILT_IN_TYPE:
            definitions = built_in(tenant_id, row["property_id"])
        elif row["meter_type"] in DERIVED_TYPES:
            definitions = ()
        known[row["id"]] = _Known(frozenset(row["flows"]), definitions)
    return known
