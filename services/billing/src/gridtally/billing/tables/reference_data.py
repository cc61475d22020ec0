"""The tables of reference data: what others publish and billing stores."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from gridtally.billing.tables.metadata import METADATA
from gridtally.database.columns import key, required, tenant

tariff_version = sa.Table(
    "tariff_version",
    METADATA,
    tenant(),
    key(),
    required("tariff_id", sa.Uuid),
    required("number", sa.Integer),
    required("status", sa.Text),
    required("effective_from", sa.Date),
    sa.Column("effective_to", sa.Date),
    required("document", JSONB),
    sa.Column("name", sa.Text),
    sa.Column("code", sa.Text),
    sa.Column("region_id", sa.Uuid),
    sa.CheckConstraint("status IN ('published', 'withdrawn')", name="tariff_version_status"),
    sa.Index("tariff_version_by_tariff", "tenant_id", "tariff_id", "effective_from"),
    sa.Index("tariff_version_by_region", "tenant_id", "region_id"),
)
"""Reference data: the versions that the tariff service published; `code` is null where one was
stored before that and `region_id` were and has not come again."""

meter = sa.Table(
    "meter",
    METADATA,
    tenant(),
    key(),
    sa.Column("connected_kw", sa.Numeric),
    required("flows", JSONB),
    required("version", sa.Integer),
    sa.Column("name", sa.Text),
    sa.Column("meter_type", sa.Text),
    sa.Column("property_id", sa.Uuid),
    sa.Column("region_id", sa.Uuid),
    sa.Index("meter_by_property", "tenant_id", "property_id"),
)
"""Reference data: what the registry states of a meter; stored after its end for its last bills.
`meter_type` is null as the `code` of versions is, together with what follows it."""

meter_definition = sa.Table(
    "meter_definition",
    METADATA,
    tenant(),
    key("meter_id"),
    required("version", sa.Integer),
    required("definitions", JSONB),
)
"""Reference data: what derived meters are the sum of, from which local day on."""

meter_part = sa.Table(
    "meter_part",
    METADATA,
    tenant(),
    key("part_id"),
    key("meter_id"),
    sa.Index("meter_part_of_meter", "tenant_id", "meter_id"),
)
"""Which meters the definitions of derived ones name."""

site = sa.Table(
    "site",
    METADATA,
    tenant(),
    key(),
    sa.Column("customer_id", sa.Uuid),
    required("version", sa.Integer),
    sa.Index("site_by_customer", "tenant_id", "customer_id"),
)
"""Reference data: the registry's properties, stored after their end for what was used there."""

region = sa.Table(
    "region",
    METADATA,
    tenant(),
    key(),
    required("name", sa.Text),
    required("kind", sa.Text),
    sa.Column("parent_id", sa.Uuid),
    required("version", sa.Integer),
)
"""Reference data: the catalogue's regions."""

price_day = sa.Table(
    "price_day",
    METADATA,
    tenant(),
    key("code", sa.Text),
    key("day", sa.Date),
    key("version", sa.Integer),
    required("zone", sa.Text),
    required("minutes", sa.SmallInteger),
    required("currency", sa.Text),
    required("prices", JSONB),
)
"""Reference data: published prices, every version; decimal strings, null where none is known."""

customer_balance = sa.Table(
    "customer_balance",
    METADATA,
    tenant(),
    key("customer_id"),
    key("currency", sa.Text),
    required("balance", sa.Numeric),
    required("arrears", sa.Numeric),
    sa.Column("invoiced_total", sa.Numeric),
    required("version", sa.BigInteger),
)
"""Reference data: what a customer owes (a credit is negative), what of it is overdue, and what of
it are billing's own documents, where the ledger has said so."""

tenant_defaults = sa.Table(
    "tenant_defaults",
    METADATA,
    tenant(),
    sa.Column("currency", sa.Text),
    sa.Column("country", sa.Text),
    required("version", sa.Integer),
)
"""Reference data: what the ledger published of what new customers have where nothing is said."""
