"""The registers of a customer's meters, with their newest readings."""

from datetime import date
from itertools import groupby
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.database.rows import Row
from gridtally.ledger.metering.readings.domain.customer_readings import OwnRegister
from gridtally.ledger.metering.readings.store.readings import entry_of
from gridtally.ledger.registry.store.registers import register_of

REGISTERS_MAX = 200
"""So many registers are shown to a customer, and taken from one at once."""
READINGS_MAX = 14
"""Of each register: more than a year of monthly ones."""

# Meters that are the customer's on a day: with an agreement of the customer's, and those at its
# properties that are not in somebody else's; as billing has it.
_OWN_METERS = """
SELECT a.meter_id AS id FROM meter_agreement a
 WHERE a.tenant_id = $1 AND a.customer_id = $2
   AND a.start_on <= $3 AND (a.end_on IS NULL OR a.end_on > $3)
UNION
SELECT m.id FROM property p JOIN meter m ON m.tenant_id = p.tenant_id AND m.property_id = p.id
 WHERE p.tenant_id = $1 AND p.customer_id = $2
   AND NOT EXISTS (
       SELECT FROM meter_agreement b
        WHERE b.tenant_id = $1 AND b.meter_id = m.id AND b.customer_id IS DISTINCT FROM $2
          AND b.start_on <= $3 AND (b.end_on IS NULL OR b.end_on > $3))
"""
# Whoever is measured by intervals reads no register, unless somebody did before.
_REGISTERS = f"""
SELECT m.id AS meter_id, m.name AS meter_name, p.name AS property_name, p.zone,
       r.flow, r.digits, r.decimals, r.multiplier, r.rollover_kwh
  FROM ({_OWN_METERS}) own
  JOIN meter m ON m.tenant_id = $1 AND m.id = own.id
  JOIN property p ON p.tenant_id = $1 AND p.id = m.property_id
  JOIN register r ON r.tenant_id = $1 AND r.meter_id = m.id
 WHERE NOT EXISTS (
       SELECT FROM channel c WHERE c.tenant_id = $1 AND c.meter_id = m.id AND c.flow = r.flow)
    OR EXISTS (
       SELECT FROM reading_known_at('infinity') e
        WHERE e.tenant_id = $1 AND e.meter_id = m.id AND e.flow = r.flow)
 ORDER BY p.name, m.name, m.id, r.flow LIMIT $4
"""  # noqa: S608 - the query is ours
# The newest of each register, from the end of its index.
_RECENT = """
SELECT wanted.n, e.*
  FROM unnest($2::integer[], $3::uuid[], $4::text[]) AS wanted (n, meter_id, flow)
 CROSS JOIN LATERAL (
       SELECT * FROM reading_known_at('infinity') e
        WHERE e.tenant_id = $1 AND e.meter_id = wanted.meter_id AND e.flow = wanted.flow
        ORDER BY e.read_at DESC, e.kind = 'exchange_initial' DESC LIMIT $5) e
 ORDER BY wanted.n, e.read_at DESC, e.kind = 'exchange_initial' DESC
"""


async def fetch_own_registers(
    read: ReadConnection, tenant_id: str, customer_id: UUID, day: date
) -> list[OwnRegister]:
    """The registers of the meters that are a customer's on a local day, by property and name."""
    rows = await read.raw.fetch(_REGISTERS, tenant_id, customer_id, day, REGISTERS_MAX)
    recent = await read.raw.fetch(
        _RECENT,
        tenant_id,
        list(range(len(rows))),
        [row["meter_id"] for row in rows],
        [row["flow"] for row in rows],
        READINGS_MAX,
    )
    by_index = {index: list(of_one) for index, of_one in groupby(recent, lambda row: row["n"])}
    return [_own_register(row, by_index.get(index, [])) for index, row in enumerate(rows)]


def _own_register(row: Row, recent: list[Row]) -> OwnRegister:
    return OwnRegister(
        meter_id=row["meter_id"],
        meter_name=row["meter_name"],
        property_name=row["property_name"],
        zone=row["zone"],
        register=register_of(row),
        recent=[entry_of(entry) for entry in recent],
    )
