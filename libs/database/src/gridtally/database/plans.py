"""Plans of statements that are kept, for transactions that only look rows up by key.

Every connection plans anew by itself (`engine`), as a plan that was made while a table was small
must not outlive its first million rows. For a single write that is most of what PostgreSQL does:
its own statements, and those of triggers and foreign keys for each row.
"""

from collections.abc import Sequence

from gridtally.database.connections import WriteConnection

KEPT_ROWS_MIN = 100
"""By the statistics of each table that grows. Of a few rows any index may seem as good as the key,
and such a plan, kept while the table grows, reads all rows of a tenant for each of a batch."""

# The server makes plans anew when a table is analysed, so what is kept was made from statistics in
# which a key is the shortest way. It may neither read whole tables nor merge or hash them for a
# join; where there is no other way it still does, at a cost marked so high that the statement would
# be compiled first.
_KEEP = """
SELECT set_config(name, value, true)
  FROM (VALUES ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'),
               ('enable_mergejoin', 'off'), ('enable_hashjoin', 'off'), ('jit', 'off'))
       AS setting (name, value)
 WHERE (SELECT min(reltuples) FROM pg_class WHERE oid = ANY ($1::text[]::regclass[])) >= $2
"""


async def keep_plans(tx: WriteConnection, growing: Sequence[str]) -> None:
    """From here to its end the transaction keeps plans and looks everything up by key, where the
    tables `growing`, which are all in it that grow, are known to have rows."""
    await tx.raw.execute(_KEEP, growing, KEPT_ROWS_MIN)
