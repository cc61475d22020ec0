"""What migrations run to keep tenants apart and history unchanged.

Owns the two kinds of protection; a migration names its tables, written in the code.
"""

from typing import Protocol

TENANT = "current_setting('gridtally.tenant', true)"


class Migrating(Protocol):
    """What is needed of `alembic.op`."""

    def execute(self, sqltext: str) -> None:
        """Run a statement."""


def isolate_tenants(op: Migrating, *tables: str) -> None:
    """Rows are seen and written only within a transaction of their tenant, by the owner too.

    Without a tenant nothing is seen at all; workers set `*` for every tenant.
    """
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} "
            f"USING (tenant_id = (SELECT {TENANT}) OR (SELECT {TENANT}) = '*')"
        )


def append_only(op: Migrating, *tables: str) -> None:
    """Rows are never changed nor removed: by privileges, and by a trigger for whoever has them."""
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in tables:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM CURRENT_USER, PUBLIC")
