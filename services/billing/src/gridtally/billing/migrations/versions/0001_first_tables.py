"""Customers, agreements, copies of facts, invoices, credit notes, costs per day."""

from alembic import op

import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.security import append_only, isolate_tenants

revision = "0001"
down_revision = None

AGREEMENTS = """
CREATE TABLE customer (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    email text,
    currency text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT customer_currency CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX customer_by_name ON customer (tenant_id, name, id);

CREATE TABLE agreement (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    tariff_id uuid NOT NULL,
    start_on date NOT NULL,
    end_on date,
    closing text NOT NULL,
    grace_hours integer NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY(tenant_id, customer_id) REFERENCES customer (tenant_id, id),
    CONSTRAINT agreement_dates CHECK (end_on > start_on),
    CONSTRAINT agreement_closing CHECK (closing IN ('wait', 'bill_present')),
    CONSTRAINT agreement_grace CHECK (grace_hours BETWEEN 0 AND 8784),
    CONSTRAINT agreement_version CHECK (version >= 1)
);
CREATE INDEX agreement_by_customer ON agreement (tenant_id, customer_id, id);
CREATE INDEX agreement_by_meter ON agreement (tenant_id, meter_id, start_on);
CREATE INDEX agreement_by_tariff ON agreement (tenant_id, tariff_id);
"""
FACTS = """
CREATE TABLE tariff_version (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    tariff_id uuid NOT NULL,
    number integer NOT NULL,
    status text NOT NULL,
    effective_from date NOT NULL,
    effective_to date,
    document jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT tariff_version_status CHECK (status IN ('published', 'withdrawn'))
);
CREATE INDEX tariff_version_by_tariff ON tariff_version (tenant_id, tariff_id, effective_from);

CREATE TABLE meter (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    connected_kw numeric,
    flows jsonb NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
"""
PERIODS = """
CREATE TABLE billed_period (
    tenant_id text NOT NULL,
    agreement_id uuid NOT NULL,
    start_on date NOT NULL,
    revision integer NOT NULL,
    invoiced_revision integer,
    energy_wh bigint NOT NULL,
    PRIMARY KEY (tenant_id, agreement_id, start_on),
    CONSTRAINT billed_period_revision CHECK (revision >= 1),
    CONSTRAINT billed_period_invoiced CHECK (invoiced_revision <= revision)
);

CREATE TABLE held_period (
    tenant_id text NOT NULL,
    agreement_id uuid NOT NULL,
    start_on date NOT NULL,
    end_on date NOT NULL,
    revision integer NOT NULL,
    meter_id uuid NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    event bytea NOT NULL,
    correlation_id text NOT NULL,
    held_at timestamptz NOT NULL,
    due boolean DEFAULT false NOT NULL,
    PRIMARY KEY (tenant_id, agreement_id, start_on)
);
CREATE INDEX held_period_by_meter ON held_period (tenant_id, meter_id);
CREATE INDEX held_period_due ON held_period (tenant_id) WHERE due;

CREATE TABLE number_series (
    tenant_id text NOT NULL,
    series text NOT NULL,
    issued bigint NOT NULL,
    PRIMARY KEY (tenant_id, series),
    CONSTRAINT number_series_issued CHECK (issued >= 1)
);
"""
DOCUMENTS = """
CREATE TABLE invoice (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    customer_id uuid NOT NULL,
    agreement_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    start_on date NOT NULL,
    end_on date NOT NULL,
    revision integer NOT NULL,
    currency text NOT NULL,
    net numeric NOT NULL,
    tax numeric NOT NULL,
    total numeric NOT NULL,
    issued_at timestamptz NOT NULL,
    correlation_id text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT invoice_once_per_revision UNIQUE (tenant_id, agreement_id, start_on, revision),
    CONSTRAINT invoice_number UNIQUE (tenant_id, number),
    CONSTRAINT invoice_dates CHECK (end_on > start_on),
    CONSTRAINT invoice_revision CHECK (revision >= 1),
    CONSTRAINT invoice_total CHECK (total = net + tax),
    CONSTRAINT invoice_currency CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX invoice_by_customer ON invoice (tenant_id, customer_id, issued_at, id);
CREATE INDEX invoice_by_meter ON invoice (tenant_id, meter_id, issued_at, id);
CREATE INDEX invoice_newest ON invoice (tenant_id, issued_at, id);

CREATE TABLE invoice_line (
    tenant_id text NOT NULL,
    invoice_id uuid NOT NULL,
    position integer NOT NULL,
    component_id text NOT NULL,
    kind text NOT NULL,
    band text,
    flow text,
    quantity numeric NOT NULL,
    unit text NOT NULL,
    rate numeric NOT NULL,
    amount_exact numeric NOT NULL,
    amount numeric NOT NULL,
    tariff_version_id uuid NOT NULL,
    start_on date NOT NULL,
    end_on date NOT NULL,
    payee text,
    tax_class text,
    PRIMARY KEY (tenant_id, invoice_id, position),
    CONSTRAINT invoice_line_dates CHECK (end_on > start_on)
);

CREATE TABLE invoice_evidence (
    tenant_id text NOT NULL,
    invoice_id uuid NOT NULL,
    zone text NOT NULL,
    connected_kw numeric,
    closed_by text NOT NULL,
    expected_intervals integer NOT NULL,
    present_intervals integer NOT NULL,
    digest text NOT NULL,
    usage bytea NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id)
);

CREATE TABLE credit_note (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    invoice_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    agreement_id uuid NOT NULL,
    currency text NOT NULL,
    net numeric NOT NULL,
    tax numeric NOT NULL,
    total numeric NOT NULL,
    reason text NOT NULL,
    issued_at timestamptz NOT NULL,
    correlation_id text NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT credit_note_once_per_invoice UNIQUE (tenant_id, invoice_id),
    CONSTRAINT credit_note_number UNIQUE (tenant_id, number),
    CONSTRAINT credit_note_total CHECK (total = net + tax),
    CONSTRAINT credit_note_currency CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX credit_note_newest ON credit_note (tenant_id, issued_at, id);
"""
DAYS = """
CREATE TABLE day_usage (
    tenant_id text NOT NULL,
    meter_id uuid NOT NULL,
    day date NOT NULL,
    flow text NOT NULL,
    zone text NOT NULL,
    minutes smallint NOT NULL,
    version integer NOT NULL,
    energy bytea NOT NULL,
    correlation_id text NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, day, flow)
);

CREATE TABLE cost_day (
    tenant_id text NOT NULL,
    meter_id uuid NOT NULL,
    day date NOT NULL,
    agreement_id uuid NOT NULL,
    tariff_version_id uuid NOT NULL,
    usage_version integer NOT NULL,
    import_wh bigint NOT NULL,
    export_wh bigint NOT NULL,
    currency text NOT NULL,
    net numeric NOT NULL,
    tax numeric NOT NULL,
    gross numeric NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, day),
    CONSTRAINT cost_day_gross CHECK (gross = net + tax),
    CONSTRAINT cost_day_currency CHECK (currency ~ '^[A-Z]{3}$')
);

CREATE TABLE due_day (
    tenant_id text NOT NULL,
    meter_id uuid NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, day)
);
"""
ONE_AGREEMENT_AT_A_TIME = """
CREATE TYPE text_range AS RANGE (subtype = text, collation = "C");
ALTER TABLE agreement ADD CONSTRAINT agreement_overlap EXCLUDE USING gist (
    text_range(tenant_id || ':' || meter_id, tenant_id || ':' || meter_id, '[]') WITH &&,
    daterange(start_on, end_on) WITH &&
);
"""
"""A range of one text stands for equality, which GiST knows without the extension btree_gist."""
APPEND_ONLY = ("invoice", "invoice_line", "invoice_evidence", "credit_note")
TABLES = (
    "customer",
    "agreement",
    "tariff_version",
    "meter",
    "billed_period",
    "held_period",
    "number_series",
    *APPEND_ONLY,
    "day_usage",
    "cost_day",
    "due_day",
)


def upgrade() -> None:
    """Everything."""
    gridtally.messaging.tables.create(op.get_bind())
    gridtally.http.keys.create(op.get_bind())
    for several in (AGREEMENTS, FACTS, PERIODS, DOCUMENTS, DAYS, ONE_AGREEMENT_AT_A_TIME):
        for statement in several.strip().removesuffix(";").split(";\n"):
            op.execute(statement)
    isolate_tenants(op, *TABLES)
    append_only(op, *APPEND_ONLY)
