"""What sessions that are bound to one customer see."""

from alembic import op

from gridtally.database.security import (
    CUSTOMER,
    TENANT,
    close_to_customers,
    show_common_rows,
    show_own_rows,
    show_rows_of,
    show_to_customers,
)

revision = "0037"
down_revision = "0036"

# Of each meter whose usage a customer may see, the local days: those of its agreements, and those
# of the meters at its sites but for days that have an agreement of somebody else; and the same of
# what derived ones among them add up. It looks at others' agreements, so it is bound to nobody
# meanwhile. That sets a parameter, which a parallel plan may not: a bound session makes none
# (`gridtally.database.transactions`), and no other comes here, so that theirs may be parallel.
METER_DAYS = """
CREATE FUNCTION meter_days(tenant text, customer text) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE days_of jsonb; BEGIN
PERFORM set_config('gridtally.customer', '', true);
WITH RECURSIVE agreed (meter_id, days) AS (
    SELECT a.meter_id, datemultirange(daterange(a.start_on, a.end_on)) FROM agreement a
     WHERE a.tenant_id = tenant AND a.customer_id = customer::uuid
    UNION
    SELECT p.id, w.days FROM agreed w CROSS JOIN LATERAL (
        SELECT part_id AS id FROM meter_part WHERE tenant_id = tenant AND meter_id = w.meter_id
        UNION ALL
        SELECT n.id FROM meter u
          JOIN meter n ON n.tenant_id = tenant AND n.property_id = u.property_id
         WHERE u.tenant_id = tenant AND u.id = w.meter_id AND u.meter_type = 'unmetered') p),
at_site (meter_id) AS (
    SELECT m.id FROM site s JOIN meter m ON m.tenant_id = tenant AND m.property_id = s.id
     WHERE s.tenant_id = tenant AND s.customer_id = customer::uuid
    UNION
    SELECT p.part_id FROM at_site w
      JOIN meter_part p ON p.tenant_id = tenant AND p.meter_id = w.meter_id),
own (meter_id, days) AS (
    SELECT * FROM agreed
    UNION ALL
    SELECT w.meter_id, datemultirange(daterange(NULL, NULL)) - coalesce((
        SELECT range_agg(daterange(a.start_on, a.end_on)) FROM agreement a
         WHERE a.tenant_id = tenant AND a.meter_id = w.meter_id
           AND a.customer_id <> customer::uuid), '{}')
      FROM at_site w)
SELECT coalesce(jsonb_object_agg(meter_id, days), '{}') INTO days_of FROM (
    SELECT o.meter_id, range_agg(d)::text AS days FROM own o CROSS JOIN LATERAL unnest(o.days) d
     GROUP BY o.meter_id) AS of_meters;
PERFORM set_config('gridtally.customer', customer, true);
RETURN days_of;
END $$"""
OWN_METER_DAYS = f"(SELECT meter_days({TENANT}, {CUSTOMER}))"
"""Read once per statement, and never by a session that is bound to nobody."""


def upgrade() -> None:
    """What is named here is shown; a bound session sees nothing in any other table."""
    close_to_customers(op)
    op.execute(METER_DAYS)
    show_own_rows(op, "customer", column="id")
    show_own_rows(op, "agreement", "invoice", "credit_note", "document", "calculated_bill", "site")
    show_rows_of(op, "invoice", "invoice_line", "invoice_evidence", "invoice_section")
    show_rows_of(op, "credit_note", "credit_note_line")
    show_rows_of(op, "agreement", "billed_period")
    show_to_customers(
        op, "daily_usage", f"({OWN_METER_DAYS} ->> meter_id::text)::datemultirange @> day"
    )
    show_to_customers(op, "meter", f"jsonb_exists({OWN_METER_DAYS}, id::text)")
    show_to_customers(op, "meter_definition", f"jsonb_exists({OWN_METER_DAYS}, meter_id::text)")
    show_common_rows(op, "tariff_version", "price_day", "region", "seller")
