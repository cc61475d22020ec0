"""The two readings of a meter's exchange."""

from gridtally.database import ReadConnection
from gridtally.ledger.metering.readings.domain.readings import Entry
from gridtally.ledger.metering.readings.store.readings import entry_of

# The readings of an exchange that count; both are of one moment, so the index on it finds them.
_EXCHANGE = """
SELECT e.* FROM reading_known_at('infinity') e
 WHERE e.tenant_id = $1 AND e.meter_id = $2 AND e.read_at = $3 AND e.exchange_id = $4
"""


async def fetch_exchange(read: ReadConnection, tenant_id: str, half: Entry) -> list[Entry]:
    """Both readings of the exchange that an entry belongs to, the closing one first."""
    rows = await read.raw.fetch(_EXCHANGE, tenant_id, half.meter_id, half.read_at, half.exchange_id)
    return sorted(map(entry_of, rows), key=lambda entry: entry.position)
