"""Parts of the balances that everybody's postings meet on, so that writers need not queue."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0005"
down_revision = "0004"

# A balance is what stands on the account and on its parts, so also what a process of the version
# before adds to the account meanwhile counts. Half of each page is free for new versions of its
# rows, which then need no new entry in the index.
PARTS = """
CREATE TABLE account_part (
    tenant_id  text NOT NULL,
    account_id uuid NOT NULL,
    part       smallint NOT NULL CHECK (part >= 0),
    debits     numeric(38, 8) NOT NULL CHECK (debits >= 0),
    credits    numeric(38, 8) NOT NULL CHECK (credits >= 0),
    PRIMARY KEY (tenant_id, account_id, part),
    FOREIGN KEY (tenant_id, account_id) REFERENCES account
) WITH (fillfactor = 50)"""


def upgrade() -> None:
    """The parts, and no more view for processes from before 0004."""
    op.execute(PARTS)
    isolate_tenants(op, "account_part")
    op.execute("DROP VIEW unsealed")
