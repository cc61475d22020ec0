"""What a bill hands to the next, invoices restated because of a correction, and copied prices."""

from alembic import op

from gridtally.database.security import append_only, isolate_tenants

revision = "0002"
down_revision = "0001"

PERIODS = """
ALTER TABLE billed_period
    ADD COLUMN end_on date,
    ADD COLUMN restatement integer NOT NULL DEFAULT 0,
    ADD COLUMN state jsonb NOT NULL DEFAULT '{}',
    ADD CONSTRAINT billed_period_restatement CHECK (restatement >= 0);
UPDATE billed_period b SET end_on = i.end_on FROM invoice i
 WHERE (i.tenant_id, i.agreement_id, i.start_on) = (b.tenant_id, b.agreement_id, b.start_on)
   AND i.revision = b.invoiced_revision;
UPDATE billed_period b SET end_on = h.end_on FROM held_period h
 WHERE (h.tenant_id, h.agreement_id, h.start_on) = (b.tenant_id, b.agreement_id, b.start_on)
   AND h.revision = b.revision;
ALTER TABLE billed_period
    ALTER COLUMN end_on SET NOT NULL,
    ALTER COLUMN restatement DROP DEFAULT,
    ALTER COLUMN state DROP DEFAULT;
"""
DOCUMENTS = """
ALTER TABLE invoice ADD COLUMN restatement integer NOT NULL DEFAULT 0;
ALTER TABLE invoice ALTER COLUMN restatement DROP DEFAULT;
ALTER TABLE invoice DROP CONSTRAINT invoice_once_per_revision;
ALTER TABLE invoice ADD CONSTRAINT invoice_once_per_revision
    UNIQUE (tenant_id, agreement_id, start_on, revision, restatement);
ALTER TABLE invoice_evidence
    ADD COLUMN state_before jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN state_after jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN parts jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN prices jsonb NOT NULL DEFAULT '{}';
ALTER TABLE invoice_evidence
    ALTER COLUMN state_before DROP DEFAULT,
    ALTER COLUMN state_after DROP DEFAULT,
    ALTER COLUMN parts DROP DEFAULT,
    ALTER COLUMN prices DROP DEFAULT;
"""
PRICES = """
CREATE TABLE price_day (
    tenant_id text NOT NULL,
    code text NOT NULL,
    day date NOT NULL,
    version integer NOT NULL,
    zone text NOT NULL,
    minutes smallint NOT NULL,
    currency text NOT NULL,
    prices jsonb NOT NULL,
    PRIMARY KEY (tenant_id, code, day, version)
);
"""


def upgrade() -> None:
    """No row that says something of its own is changed: the defaults were true until now."""
    for several in (PERIODS, DOCUMENTS, PRICES):
        for statement in several.strip().removesuffix(";").split(";\n"):
            op.execute(statement)
    isolate_tenants(op, "price_day")
    append_only(op, "price_day")
