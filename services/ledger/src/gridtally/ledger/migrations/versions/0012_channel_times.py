"""When a channel begins and ends, and registers that begin again at any total.

What is registered has neither: null. Versions have a list only where one of its entries has a
value, so that what was sealed before is sealed the same.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

COLUMNS = """
ALTER TABLE channel ADD COLUMN start_at timestamptz, ADD COLUMN end_at timestamptz,
  ADD CONSTRAINT channel_ends_after_it_begins CHECK (end_at > start_at);
ALTER TABLE register ADD COLUMN rollover_kwh numeric,
  ADD CONSTRAINT register_rollover
  CHECK (rollover_kwh > 0 AND rollover_kwh <= power(10::numeric, digits)
         AND scale(trim_scale(rollover_kwh)) <= decimals);
ALTER TABLE reading_entry ADD COLUMN rollover_kwh numeric,
  ADD CONSTRAINT reading_entry_rollover CHECK (value < rollover_kwh);
ALTER TABLE meter_version ADD COLUMN channel_starts_at timestamptz[],
  ADD COLUMN channel_ends_at timestamptz[], ADD COLUMN register_rollovers numeric[]"""
METER_NOW = """
CREATE OR REPLACE VIEW meter_now WITH (security_invoker) AS
SELECT m.tenant_id, m.id AS meter_id, m.created_at, m.version, m.updated_at, m.property_id,
       m.meter_type, m.name, c.channels, c.channel_minutes, c.channel_wh_max, r.registers,
       r.register_digits, r.register_decimals, r.register_multipliers,
       c.channel_starts_at, c.channel_ends_at, r.register_rollovers
  FROM meter m
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(flow ORDER BY flow), '{}') AS channels,
              coalesce(array_agg(minutes ORDER BY flow), '{}') AS channel_minutes,
              coalesce(array_agg(interval_wh_max ORDER BY flow), '{}') AS channel_wh_max,
              CASE WHEN count(start_at) > 0 THEN array_agg(start_at ORDER BY flow) END
                  AS channel_starts_at,
              CASE WHEN count(end_at) > 0 THEN array_agg(end_at ORDER BY flow) END
                  AS channel_ends_at
         FROM channel WHERE (tenant_id, meter_id) = (m.tenant_id, m.id)) AS c
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(flow ORDER BY flow), '{}') AS registers,
              coalesce(array_agg(digits ORDER BY flow), '{}') AS register_digits,
              coalesce(array_agg(decimals ORDER BY flow), '{}') AS register_decimals,
              coalesce(array_agg(multiplier ORDER BY flow), '{}') AS register_multipliers,
              CASE WHEN count(rollover_kwh) > 0 THEN array_agg(rollover_kwh ORDER BY flow) END
                  AS register_rollovers
         FROM register WHERE (tenant_id, meter_id) = (m.tenant_id, m.id)) AS r"""
METER = (
    "tenant_id, meter_id, created_at, version, updated_at, property_id, meter_type, name, "
    "channels, channel_minutes, channel_wh_max, registers, register_digits, register_decimals, "
    "register_multipliers, channel_starts_at, channel_ends_at, register_rollovers"
)
# As 0007 has made it, with more columns.
NOTE_METERS = f"""
CREATE OR REPLACE FUNCTION note_meters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM meter_version
                WHERE (tenant_id, meter_id, created_at, version)
                    = (NEW.tenant_id, NEW.id, NEW.created_at, NEW.version))
    THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO meter_version ({METER})
            SELECT {METER} FROM meter_now
             WHERE tenant_id = NEW.tenant_id AND created_at = NEW.created_at
            ON CONFLICT (tenant_id, meter_id, created_at, version) DO NOTHING;
    ELSE
        INSERT INTO meter_version ({METER})
            SELECT {METER} FROM meter_now
             WHERE tenant_id = NEW.tenant_id AND property_id = NEW.property_id
               AND updated_at = NEW.updated_at
            ON CONFLICT (tenant_id, meter_id, created_at, version) DO NOTHING;
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608 - constants


def upgrade() -> None:
    """The columns, the registry in the shape of its versions, and who notes them."""
    for statement in COLUMNS.split(";\n"):
        op.execute(statement)
    op.execute(METER_NOW)
    op.execute(NOTE_METERS)
