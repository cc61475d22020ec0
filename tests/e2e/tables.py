"""The business tables as texts that two runs of one job must have in common.

Owns the list of what may differ between them, with the reasons.
"""

from collections.abc import Mapping

import asyncpg

MOMENTS = ("recorded_at", "closed_at", "issued_at", "occurred_at", "created_at", "updated_at")
"""When something was done is no fact of the business."""
NUMBERS = ("number", "reference", "digest", "proof_root")
"""Which invoice gets which of the numbers depends on which period is closed first. The ledger
refers to documents by number, and digests what it books together with the number and moment, as
the root of an invoice's proof does."""
SALT = ("salt",)
"""Random, so that nobody can guess the texts that it hides."""
STEPS = ("version", "usage_version")
"""In how many steps a day came to its values depends on how messages fall into batches."""
ACCOUNT = ("brought_forward", "arrears")
"""What the ledger had reported of a customer by then, depends on who is faster."""
TABLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ingest": {
        "reading_block": MOMENTS,
        "channel_day": (*MOMENTS, *STEPS),
        "period": MOMENTS,
    },
    "billing": {
        "agreement": MOMENTS,
        "invoice": (*MOMENTS, *NUMBERS, *ACCOUNT),
        "invoice_line": (),
        "invoice_evidence": (),
        "credit_note": (*MOMENTS, *NUMBERS),
        "number_series": (),
        "daily_cost": STEPS,
    },
    "ledger": {
        "property": MOMENTS,
        "meter": MOMENTS,
        "account": MOMENTS,
        "transaction": (*MOMENTS, *NUMBERS, *SALT),
        "posting": MOMENTS,
        "open_item": (*MOMENTS, *NUMBERS, "due_on", "overdue_reported"),
        "allocation": MOMENTS,
    },
}
"""The columns that are left out of each table."""


async def dump(databases: Mapping[str, str]) -> dict[str, list[str]]:
    """Every row of every table as JSON without the columns that may differ, sorted."""
    dumped: dict[str, list[str]] = {}
    for service, tables in TABLES.items():
        connection = await asyncpg.connect(databases[service])
        try:
            for table, left_out in tables.items():
                rows = await connection.fetch(
                    f"SELECT (to_jsonb(t) - $1::text[])::text AS row FROM {table} t",  # noqa: S608
                    list(left_out),
                )
                dumped[f"{service}.{table}"] = sorted(row["row"] for row in rows)
        finally:
            await connection.close()
    return dumped
