"""Postings are checked by their transaction's key, whatever the session has planned before."""

from alembic import op

revision = "0014"
down_revision = "0013"

# A session plans a statement without parameters once. Planned by a batch of thousands, the join of
# the first form read all transactions, and went on to do so for each single payment that came after
# (8 to 20 ms at 300 000 postings). A subquery in the select list is never made a join: it looks a
# transaction up by its key. Without `enable_seqscan` it does so too where the plan was made while
# the table had a page or two.
REFUSE_ADDITIONS = """
CREATE OR REPLACE FUNCTION refuse_additions() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT tenant_id, transaction_id, sum(amount) AS total,
                                   count(*) AS lines, max(line) AS last_line
                              FROM posted GROUP BY tenant_id, transaction_id) AS n
                WHERE (SELECT n.total = 0 AND n.lines = t.postings AND n.last_line = t.postings
                         FROM transaction t
                        WHERE t.tenant_id = n.tenant_id AND t.id = n.transaction_id) IS NOT TRUE)
    THEN
        RAISE EXCEPTION 'a posted transaction is not balanced'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'balanced';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """The check of postings, by key."""
    op.execute(REFUSE_ADDITIONS)
