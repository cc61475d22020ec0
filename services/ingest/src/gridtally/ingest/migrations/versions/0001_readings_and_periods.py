"""The readings store, what waits beside it, and the billing periods."""

from alembic import op

import gridtally.http.keys
import gridtally.messaging.tables
from gridtally.database.security import append_only, isolate_tenants
from gridtally.ingest.store.partitions import has_timescale

revision = "0001"
down_revision = None

FLOWS = "('import', 'export', 'load', 'generation')"
LENGTHS = "(5, 10, 15, 30, 60)"

READINGS = f"""
-- Every accepted piece of a block, as received: the truth, which "as known at" is answered from.
CREATE TABLE reading_block (
    tenant_id      text COLLATE "C" NOT NULL,
    meter_id       uuid NOT NULL,
    flow           text COLLATE "C" NOT NULL CHECK (flow IN {FLOWS}),
    day            date NOT NULL,
    event_id       uuid NOT NULL,
    start_at       timestamptz NOT NULL,
    minutes        smallint NOT NULL CHECK (minutes IN {LENGTHS}),
    slot           smallint NOT NULL CHECK (slot >= 0),
    piece          smallint NOT NULL CHECK (piece >= 0),
    quality        text NOT NULL CHECK (quality IN ('A', 'E', 'S')),
    read_at        timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    source         text NOT NULL,
    correlation_id text NOT NULL,
    values         int4[] NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, flow, day, event_id, start_at)
){{partitioned}};

-- The newest merge of the blocks; NULL is missing, never zero.
CREATE TABLE channel_day (
    tenant_id      text COLLATE "C" NOT NULL,
    meter_id       uuid NOT NULL,
    flow           text COLLATE "C" NOT NULL CHECK (flow IN {FLOWS}),
    minutes        smallint NOT NULL CHECK (minutes IN {LENGTHS}),
    day            date NOT NULL,
    zone           text NOT NULL,
    version        integer NOT NULL CHECK (version > 0),
    present        smallint NOT NULL CHECK (present > 0),
    recorded_at    timestamptz NOT NULL,
    correlation_id text NOT NULL,
    quality        text NOT NULL,
    values         int4[] NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, flow, minutes, day),
    CONSTRAINT channel_day_has_a_quality_per_value CHECK (length(quality) = cardinality(values))
){{partitioned}};

-- One row per interval, for people and BI tools.
CREATE VIEW reading AS
SELECT d.tenant_id, d.meter_id, d.flow, d.day, d.minutes,
       (d.day::timestamp AT TIME ZONE d.zone) + (v.slot - 1) * d.minutes * interval '1 minute'
           AS start_at,
       v.energy_wh, substr(d.quality, v.slot::int, 1) AS quality, d.version, d.recorded_at
  FROM channel_day d CROSS JOIN unnest(d.values) WITH ORDINALITY AS v (energy_wh, slot);
"""  # noqa: S608 - made of this module's constants
QUEUES = """
-- Channel-days that changed and are not announced yet; no unique key, so nobody waits for it.
CREATE TABLE usage_pending (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL,
    meter_id  uuid NOT NULL,
    flow      text COLLATE "C" NOT NULL,
    minutes   smallint NOT NULL,
    day       date NOT NULL,
    due_at    timestamptz NOT NULL
);
CREATE INDEX usage_pending_due ON usage_pending (due_at);
CREATE INDEX usage_pending_channel_day ON usage_pending (meter_id, day);

-- Meters' months in which something changed after their end.
CREATE TABLE period_check (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL,
    meter_id  uuid NOT NULL,
    month_on  date NOT NULL,
    due_at    timestamptz NOT NULL
);
CREATE INDEX period_check_due ON period_check (due_at);
"""
INTAKE = """
CREATE TABLE quarantine (
    tenant_id      text NOT NULL,
    id             uuid NOT NULL,
    event_id       uuid NOT NULL,
    meter_id       uuid NOT NULL,
    flow           text NOT NULL,
    reason         text NOT NULL,
    detail         text NOT NULL,
    source         text NOT NULL,
    occurred_at    timestamptz NOT NULL,
    correlation_id text NOT NULL,
    value          bytea NOT NULL,
    recorded_at    timestamptz NOT NULL,
    replayed_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT quarantine_event UNIQUE (tenant_id, event_id, meter_id)
);
CREATE INDEX quarantine_by_age ON quarantine (tenant_id, recorded_at, id);

CREATE TABLE waiting_block (
    tenant_id      text NOT NULL,
    meter_id       uuid NOT NULL,
    event_id       uuid NOT NULL,
    seq            bigint GENERATED ALWAYS AS IDENTITY,
    source         text NOT NULL,
    occurred_at    timestamptz NOT NULL,
    correlation_id text NOT NULL,
    value          bytea NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, meter_id, event_id)
);

-- What became of every event and value, counted in the transaction that decided it.
CREATE TABLE tally (
    tenant_id          text NOT NULL,
    partition          integer NOT NULL,
    received           bigint NOT NULL,
    stored             bigint NOT NULL,
    duplicates         bigint NOT NULL,
    quarantined        bigint NOT NULL,
    waiting            bigint NOT NULL,
    readings_new       bigint NOT NULL,
    readings_corrected bigint NOT NULL,
    readings_unchanged bigint NOT NULL,
    PRIMARY KEY (tenant_id, partition),
    CONSTRAINT tally_adds_up CHECK (received = stored + duplicates + quarantined + waiting)
);
"""
REGISTRY = """
CREATE TABLE meter (
    tenant_id text NOT NULL,
    id        uuid NOT NULL,
    type      text NOT NULL,
    name      text NOT NULL,
    zone      text NOT NULL,
    version   integer NOT NULL,
    channels  jsonb NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
-- Counts changes of `meter`, so that a process knows when its copies in memory are old.
CREATE TABLE registry_change (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    count     bigint NOT NULL
);
INSERT INTO registry_change (count) VALUES (0);

CREATE TABLE agreement (
    tenant_id     text NOT NULL,
    id            uuid NOT NULL,
    meter_id      uuid NOT NULL,
    start_on      date NOT NULL,
    end_on        date CHECK (end_on > start_on),
    closing       text NOT NULL CHECK (closing IN ('wait', 'bill_present')),
    grace_hours   integer NOT NULL CHECK (grace_hours >= 0),
    version       integer NOT NULL,
    planned_until date NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX agreement_to_plan ON agreement (planned_until);

CREATE TABLE period (
    tenant_id         text NOT NULL,
    agreement_id      uuid NOT NULL,
    start_on          date NOT NULL,
    end_on            date NOT NULL CHECK (end_on > start_on),
    meter_id          uuid NOT NULL,
    state             text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    revision          integer NOT NULL DEFAULT 0,
    check_at          timestamptz,
    closed_by         text CHECK (closed_by IN ('complete', 'grace', 'forced')),
    closed_at         timestamptz,
    expected          integer,
    present           integer,
    energy_wh         jsonb,
    digest            text,
    correlation_id    text,
    PRIMARY KEY (tenant_id, agreement_id, start_on),
    CONSTRAINT period_closed_has_revision CHECK ((state = 'closed') = (revision > 0))
);
CREATE INDEX period_of_meter ON period (tenant_id, meter_id, start_on);
CREATE INDEX period_to_check ON period (check_at) WHERE check_at IS NOT NULL;
"""
BUSY = ("usage_pending", "period_check", "waiting_block", "tally", "registry_change")
"""Tables whose rows come and go, or change, all the time."""


def upgrade() -> None:
    """Tables; hypertables with TimescaleDB, native range partitions without it."""
    bind = op.get_bind()
    gridtally.messaging.tables.create(bind)
    gridtally.http.keys.create(bind)
    timescale = has_timescale(bind)
    partitioned = "" if timescale else " PARTITION BY RANGE (day)"
    readings = READINGS.format(partitioned=partitioned)
    for statement in (readings + QUEUES + INTAKE + REGISTRY).split(";\n"):
        if statement.strip():
            op.execute(statement)
    if timescale:
        for table in ("reading_block", "channel_day"):
            op.execute(
                f"SELECT create_hypertable('{table}', by_range('day', INTERVAL '30 days'), "
                "create_default_indexes => false)"
            )
    for table in BUSY:
        op.execute(
            f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0, "
            "autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0)"
        )
    op.execute("ALTER TABLE outbox ALTER COLUMN value SET STORAGE EXTERNAL")  # lives for a moment
    append_only(op, "reading_block")
    isolate_tenants(op, "meter", "agreement", "period", "quarantine", "waiting_block", "tally")
