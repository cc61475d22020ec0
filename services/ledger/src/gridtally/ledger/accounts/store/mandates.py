"""Mandates and the creditor's settings as rows."""

from uuid import UUID

from gridtally.contracts.direct_debits import DirectDebitSettingsChanged, MandateChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.rows import Row, from_row
from gridtally.ledger.accounts.domain.direct_debits import Creditor
from gridtally.ledger.accounts.domain.mandates import Mandate

USED = """
LEFT JOIN LATERAL (
     SELECT max(b.collection_on) FILTER (WHERE t.id IS NOT NULL) AS collected_on,
            bool_or(t.id IS NOT NULL OR b.cancelled_at IS NULL) AS sent
       FROM direct_debit d
       JOIN direct_debit_batch b ON (b.tenant_id, b.id) = (d.tenant_id, d.batch_id)
       LEFT JOIN transaction t ON (t.tenant_id, t.document_id) = (d.tenant_id, d.id)
      WHERE (d.tenant_id, d.customer_id) = (m.tenant_id, m.customer_id)
        AND d.mandate_id = m.mandate_id) AS u ON true
"""
"""When a mandate was last collected by, as what was paid under the id of one of its debits; and
whether a debit by it stands in a file for the bank."""
_FETCH = f"""
SELECT m.*, u.collected_on, u.sent
  FROM mandate m {USED}
 WHERE m.tenant_id = $1 AND m.customer_id = $2
"""  # noqa: S608 - our own text


def mandate_of(row: Row) -> Mandate:
    """The mandate of a row, after what was sent and collected by it."""
    mandate = from_row(Mandate, row)
    return (mandate.sent() if row["sent"] else mandate).collected(row["collected_on"])


async def fetch_mandate(
    read: ReadConnection, tenant_id: str, customer_id: UUID
) -> tuple[Mandate, int] | None:
    """A customer's mandate and its version; None where there is none."""
    row = await read.raw.fetchrow(_FETCH, tenant_id, customer_id)
    return None if row is None else (mandate_of(row), row["version"])


# A customer whom billing has published, and who was not erased.
_IS_KNOWN = """
SELECT EXISTS (SELECT FROM known_customer WHERE (tenant_id, id) = ($1, $2))
   AND NOT EXISTS (SELECT FROM erased_customer WHERE (tenant_id, customer_id) = ($1, $2))
"""


async def is_known(read: ReadConnection, tenant_id: str, customer_id: UUID) -> bool:
    """Whether there is such a customer, who may sign a mandate."""
    return bool(await read.raw.fetchval(_IS_KNOWN, tenant_id, customer_id))


_IS_TAKEN = """
SELECT EXISTS (SELECT FROM mandate WHERE (tenant_id, mandate_id) = ($1, $2) AND customer_id <> $3)
"""


async def is_taken(
    read: ReadConnection, tenant_id: str, mandate_id: str, customer_id: UUID
) -> bool:
    """Whether another customer's mandate has this id."""
    return bool(await read.raw.fetchval(_IS_TAKEN, tenant_id, mandate_id, customer_id))


_IS_USED = """
SELECT EXISTS (SELECT FROM direct_debit WHERE (tenant_id, mandate_id) = ($1, $2))
"""


async def is_used(read: ReadConnection, tenant_id: str, mandate_id: str) -> bool:
    """Whether anybody's debit was made by the mandate of this id."""
    return bool(await read.raw.fetchval(_IS_USED, tenant_id, mandate_id))


_PUT = """
INSERT INTO mandate AS m
       (tenant_id, customer_id, mandate_id, signed_on, sequence, scheme, iban, bic, holder,
        last_collected_on, revoked_on, version)
SELECT $1, $2, $3::text, $4::date, $5, $6, $7, $8, $9, $10::date, $11::date, $12::integer
 WHERE NOT EXISTS (SELECT FROM mandate o
                    WHERE (o.tenant_id, o.mandate_id) = ($1, $3) AND o.customer_id <> $2)
ON CONFLICT (tenant_id, customer_id) DO UPDATE
   SET mandate_id = excluded.mandate_id, signed_on = excluded.signed_on,
       sequence = excluded.sequence, scheme = excluded.scheme, iban = excluded.iban,
       bic = excluded.bic, holder = excluded.holder,
       last_collected_on = excluded.last_collected_on, revoked_on = excluded.revoked_on,
       version = excluded.version
 WHERE m.version < excluded.version
"""
_HAS = """
SELECT EXISTS (SELECT FROM mandate WHERE (tenant_id, customer_id) = ($1, $2) AND version >= $3)
"""


async def put_mandate(tx: WriteConnection, tenant_id: str, event: MandateChanged) -> bool:
    """Have the mandate that was said, unless a newer one is there; whether it is there then. It is
    not while the mandate of another customer has its id."""
    names = (
        "customer_id", "mandate_id", "signed_on", "sequence", "scheme", "iban", "bic", "holder",
        "last_collected_on", "revoked_on", "version",
    )  # fmt: skip
    await tx.raw.execute(_PUT, tenant_id, *(getattr(event, name) for name in names))
    return bool(await tx.raw.fetchval(_HAS, tenant_id, event.customer_id, event.version))


# A merge gives what was signed, which is the same then, to another customer in a later version. The
# tombstone of whoever had it may be read after that, or be gone from the topic. A message that is
# itself older than what its customer has takes nothing.
_TAKE = """
DELETE FROM mandate o
 WHERE (o.tenant_id, o.mandate_id, o.signed_on, o.iban) = ($1, $2, $3, $4)
   AND o.customer_id <> $5 AND o.version < $6
   AND NOT EXISTS (SELECT FROM mandate m
                    WHERE (m.tenant_id, m.customer_id) = ($1, $5) AND m.version >= $6)
"""
_WAS_GIVEN = """
SELECT EXISTS (SELECT FROM mandate o
                WHERE (o.tenant_id, o.mandate_id, o.signed_on, o.iban) = ($1, $2, $3, $4)
                  AND o.customer_id <> $5 AND o.version > $6)
"""


async def adopt_mandate(tx: WriteConnection, tenant_id: str, event: MandateChanged) -> bool:
    """Have the mandate that was said before a restore, as `put_mandate` does; whether nothing of
    it is left to be done. Of what a merge has given to another customer the newer version is."""
    names = ("mandate_id", "signed_on", "iban", "customer_id", "version")
    values = [getattr(event, name) for name in names]
    if await tx.raw.fetchval(_WAS_GIVEN, tenant_id, *values):
        return True
    await tx.raw.execute(_TAKE, tenant_id, *values)
    return await put_mandate(tx, tenant_id, event)


_DELETE = "DELETE FROM mandate WHERE (tenant_id, customer_id) = ($1, $2) RETURNING version"


async def delete_mandate(tx: WriteConnection, tenant_id: str, customer_id: UUID) -> int | None:
    """Forget a customer's mandate; its version, None where there was none."""
    version: int | None = await tx.raw.fetchval(_DELETE, tenant_id, customer_id)
    return version


_FETCH_SETTINGS = "SELECT * FROM direct_debit_settings WHERE tenant_id = $1"


async def fetch_settings(
    read: ReadConnection, tenant_id: str, *, lock: bool = False
) -> tuple[Creditor, int, int] | None:
    """For whom a tenant collects, with its days of lead and the version; None until it says so. It
    may be locked until the transaction ends, which makes batches wait for one another."""
    query = f"{_FETCH_SETTINGS} FOR UPDATE" if lock else _FETCH_SETTINGS
    row = await read.raw.fetchrow(query, tenant_id)
    if row is None:
        return None
    return from_row(Creditor, row), row["lead_days"], row["version"]


_PUT_SETTINGS = """
INSERT INTO direct_debit_settings AS s (tenant_id, creditor_id, name, iban, bic, lead_days, version)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id) DO UPDATE
   SET creditor_id = excluded.creditor_id, name = excluded.name, iban = excluded.iban,
       bic = excluded.bic, lead_days = excluded.lead_days, version = excluded.version
 WHERE s.version < excluded.version
RETURNING true
"""


async def put_settings(
    tx: WriteConnection, tenant_id: str, event: DirectDebitSettingsChanged
) -> bool:
    """Have the settings that were said, unless others of this version or a newer one are there;
    whether they are there now."""
    names = ("creditor_id", "name", "iban", "bic", "lead_days", "version")
    values = (getattr(event, name) for name in names)
    return bool(await tx.raw.fetchval(_PUT_SETTINGS, tenant_id, *values))
