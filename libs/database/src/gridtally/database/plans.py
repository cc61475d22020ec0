"""Plans of statements that are kept, for transactions that only look rows up by key.

Every connection plans anew by itself (`engine`), as a plan that was made while a table was empty
must not outlive its first million rows. For a single write that is most of what PostgreSQL does:
its own statements, and those of triggers and foreign keys for each row.
"""

from gridtally.database.connections import WriteConnection

# A plan that is kept looks rows up by key whenever it was made: it may neither read whole tables
# nor merge or hash them for a join. Where there is no other way it still does, at a cost that is
# marked so high that the statement would be compiled first.
KEEP_PLANS = """
SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off;
SET LOCAL enable_mergejoin = off; SET LOCAL enable_hashjoin = off; SET LOCAL jit = off
"""


async def keep_plans(tx: WriteConnection) -> None:
    """From here to its end the transaction keeps plans, and looks everything up by key."""
    await tx.raw.execute(KEEP_PLANS)
