"""Comparisons: runs by several policies over several months, and what they come to."""

from alembic import op

from gridtally.database.security import isolate_tenants

revision = "0002"
down_revision = "0001"

RUN = """
ALTER TABLE run
    ADD COLUMN months smallint NOT NULL DEFAULT 1 CHECK (months BETWEEN 1 AND 24),
    ADD COLUMN scenarios jsonb,
    ADD COLUMN shift jsonb,
    ADD COLUMN as_known_at timestamptz,
    ADD COLUMN repeat_of uuid,
    ADD COLUMN tariffs jsonb,
    ADD CONSTRAINT run_of_one_month CHECK (scenarios IS NOT NULL OR months = 1),
    ADD CONSTRAINT run_compared CHECK (
        scenarios IS NOT NULL
        OR (shift IS NULL AND as_known_at IS NULL AND repeat_of IS NULL AND tariffs IS NULL))"""

RESULTS = """
CREATE TABLE compared_house (
    tenant_id           text NOT NULL,
    run_id              uuid NOT NULL,
    scenario            smallint NOT NULL,
    house_node_id       uuid NOT NULL,
    house_name          text NOT NULL,
    imported_wh         bigint NOT NULL CHECK (imported_wh >= 0),
    exported_wh         bigint NOT NULL CHECK (exported_wh >= 0),
    peak_w              bigint NOT NULL CHECK (peak_w >= 0),
    hours               integer NOT NULL CHECK (hours > 0),
    currency            text NOT NULL,
    amount              numeric NOT NULL,
    difference          numeric NOT NULL,
    readings_sha256     text NOT NULL,
    shifted_imported_wh bigint CHECK (shifted_imported_wh >= 0),
    shifted_peak_w      bigint CHECK (shifted_peak_w >= 0),
    shifted_amount      numeric,
    shifted_difference  numeric,
    PRIMARY KEY (tenant_id, run_id, scenario, house_node_id),
    CONSTRAINT compared_with_baseline CHECK (scenario > 0 OR difference = 0)
);
CREATE INDEX compared_house_by_difference
    ON compared_house (tenant_id, run_id, scenario, difference, house_node_id);

CREATE TABLE staged_revenue (
    tenant_id    text NOT NULL,
    run_id       uuid NOT NULL,
    number       integer NOT NULL,
    scenario     smallint NOT NULL,
    is_shifted   boolean NOT NULL,
    month_on     date NOT NULL,
    component_id text NOT NULL,
    kind         text NOT NULL,
    amount       numeric NOT NULL,
    PRIMARY KEY (
        tenant_id, run_id, number, scenario, is_shifted, month_on, component_id, kind)
);

CREATE TABLE scenario_revenue (
    tenant_id    text NOT NULL,
    run_id       uuid NOT NULL,
    scenario     smallint NOT NULL,
    is_shifted   boolean NOT NULL,
    month_on     date NOT NULL,
    component_id text NOT NULL,
    kind         text NOT NULL,
    amount       numeric NOT NULL,
    PRIMARY KEY (tenant_id, run_id, scenario, is_shifted, month_on, component_id, kind)
);

CREATE TABLE staged_load (
    tenant_id text NOT NULL,
    run_id    uuid NOT NULL,
    number    integer NOT NULL,
    scenario  smallint NOT NULL,
    wh        bigint[] NOT NULL,
    PRIMARY KEY (tenant_id, run_id, number, scenario)
);

CREATE TABLE scenario_peak (
    tenant_id text NOT NULL,
    run_id    uuid NOT NULL,
    scenario  smallint NOT NULL,
    peak_wh   bigint NOT NULL CHECK (peak_wh >= 0),
    peak_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, run_id, scenario)
)"""


def upgrade() -> None:
    """What a run may be besides one of one month, and tables for what a comparison comes to."""
    for statements in (RUN, RESULTS):
        for statement in statements.split(";\n"):
            op.execute(statement)
    isolate_tenants(
        op,
        "compared_house",
        "staged_revenue",
        "scenario_revenue",
        "staged_load",
        "scenario_peak",
    )
