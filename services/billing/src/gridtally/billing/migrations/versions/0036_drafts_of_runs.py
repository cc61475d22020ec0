"""Which billing run a draft was approved with."""

from alembic import op

revision = "0036"
down_revision = "0035"

# A run that was approved before, and is not issued yet, has the drafts that were made by then.
_STEPS = """
ALTER TABLE invoice_draft ADD COLUMN run_id uuid;
UPDATE invoice_draft d SET run_id = r.id FROM billing_run r
 WHERE r.state = 'approved' AND d.state = 'pending' AND r.tenant_id = d.tenant_id
   AND d.start_on >= r.start_on AND d.end_on <= r.end_on AND d.drafted_at <= r.decided_at
   AND (cardinality(r.customer_ids) = 0 OR d.customer_id = ANY(r.customer_ids));
CREATE INDEX invoice_draft_by_run ON invoice_draft (tenant_id, run_id, start_on, id)
    WHERE run_id IS NOT NULL
"""


def upgrade() -> None:
    """Drafts are of no run until one is approved."""
    # Without a tenant no row would be seen, by the tables' owner either.
    op.execute("SELECT set_config('gridtally.tenant', '*', true)")
    for statement in _STEPS.strip().split(";\n"):
        op.execute(statement)
