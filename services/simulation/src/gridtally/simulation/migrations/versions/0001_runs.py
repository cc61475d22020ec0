"""Runs, policies, house bills, and copies of properties and meters."""

from alembic import op

import gridtally.http.idempotency
import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.security import isolate_tenants
from gridtally.messaging.tables import extend_dead_letters

revision = "0001"
down_revision = None

COPIES = """
CREATE TABLE property (
    tenant_id    text NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL,
    zone         text NOT NULL,
    connected_kw numeric,
    parent_id    uuid,
    version      integer NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX property_by_parent ON property (tenant_id, parent_id);

CREATE TABLE meter (
    tenant_id    text NOT NULL,
    id           uuid NOT NULL,
    property_id  uuid NOT NULL,
    meter_type   text NOT NULL,
    connected_kw numeric,
    flows        jsonb NOT NULL,
    version      integer NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX meter_by_property ON meter (tenant_id, property_id);

CREATE TABLE house_profile (
    tenant_id       text NOT NULL,
    house_node_id   uuid NOT NULL,
    latitude        numeric CHECK (latitude BETWEEN -90 AND 90),
    longitude       numeric CHECK (longitude BETWEEN -180 AND 180),
    tilt_degrees    numeric CHECK (tilt_degrees BETWEEN 0 AND 90),
    azimuth_degrees numeric CHECK (azimuth_degrees >= 0 AND azimuth_degrees < 360),
    kwp             numeric CHECK (kwp >= 0),
    annual_kwh      numeric CHECK (annual_kwh >= 0),
    PRIMARY KEY (tenant_id, house_node_id)
)"""

RUNS = """
CREATE TABLE policy (
    tenant_id  text NOT NULL,
    id         uuid NOT NULL,
    name       text NOT NULL,
    policy     jsonb NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX policy_by_age ON policy (tenant_id, created_at, id);

CREATE TABLE run (
    tenant_id             text NOT NULL,
    id                    uuid NOT NULL,
    name                  text NOT NULL,
    billing_cycle_month   smallint NOT NULL CHECK (billing_cycle_month BETWEEN 1 AND 12),
    billing_cycle_year    smallint NOT NULL,
    topology_root_node_id uuid NOT NULL,
    source                text NOT NULL CHECK (source IN ('stored', 'generated')),
    policy                jsonb NOT NULL,
    policy_id             uuid,
    profile               jsonb NOT NULL,
    seed                  integer NOT NULL,
    missing               text NOT NULL CHECK (missing IN ('refused', 'counts_as_zero')),
    status                text NOT NULL DEFAULT 'PENDING'
        CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    started_at            timestamptz,
    ended_at              timestamptz,
    progressed_at         timestamptz,
    houses                integer NOT NULL DEFAULT 0,
    chunks                integer NOT NULL DEFAULT 0,
    error_code            text,
    error_detail          text,
    tariff_document       jsonb,
    correlation_id        text,
    version               integer NOT NULL DEFAULT 1,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT run_started CHECK (status IN ('PENDING', 'CANCELLED') OR started_at IS NOT NULL),
    CONSTRAINT run_ended CHECK ((status IN ('PENDING', 'RUNNING')) = (ended_at IS NULL)),
    CONSTRAINT run_error CHECK ((status = 'FAILED') = (error_code IS NOT NULL))
);
CREATE INDEX run_by_age ON run (tenant_id, created_at, id);
CREATE INDEX run_at_work ON run (id) WHERE status = 'RUNNING';

CREATE TABLE run_house (
    tenant_id     text NOT NULL,
    run_id        uuid NOT NULL,
    number        integer NOT NULL,
    house_node_id uuid NOT NULL,
    name          text NOT NULL,
    zone          text NOT NULL,
    connected_kw  numeric,
    meter_ids     jsonb NOT NULL,
    profile       jsonb,
    PRIMARY KEY (tenant_id, run_id, number)
);
CREATE INDEX run_house_by_node ON run_house (tenant_id, run_id, house_node_id);

CREATE TABLE run_chunk (
    tenant_id text NOT NULL,
    run_id    uuid NOT NULL,
    number    integer NOT NULL,
    houses    integer NOT NULL,
    done_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, run_id, number)
)"""

BILL = """
CREATE TABLE {table} (
    tenant_id              text NOT NULL,
    run_id                 uuid NOT NULL,
    house_node_id          uuid NOT NULL,
    house_name             text NOT NULL,
    imported_wh            bigint NOT NULL CHECK (imported_wh >= 0),
    exported_wh            bigint NOT NULL CHECK (exported_wh >= 0),
    calculated_bill_amount numeric NOT NULL,
    currency               text NOT NULL,
    bill_details           jsonb NOT NULL,
    PRIMARY KEY (tenant_id, run_id, house_node_id)
)"""


def upgrade() -> None:
    """Tables and each tenant's isolation."""
    gridtally.messaging.tables.create(op.get_bind())
    gridtally.http.keys.create(op.get_bind())
    gridtally.http.idempotency.create(op.get_bind())
    extend_dead_letters(op)
    for statements in (COPIES, RUNS):
        for statement in statements.split(";\n"):
            op.execute(statement)
    for table in ("staged_house_bill", "house_bill"):
        op.execute(BILL.format(table=table))
    op.execute(
        "CREATE INDEX house_bill_by_amount ON house_bill "
        "(tenant_id, run_id, calculated_bill_amount, house_node_id)"
    )
    isolate_tenants(
        op,
        "property",
        "meter",
        "house_profile",
        "policy",
        "run",
        "run_house",
        "run_chunk",
        "staged_house_bill",
        "house_bill",
        "idempotency_key",
    )
