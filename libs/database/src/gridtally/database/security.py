"""What migrations run to keep tenants and customers apart and history unchanged.

Owns the kinds of protection; a migration names its tables, written in the code.

Policies of one table are joined by OR, from left to right. So what a session that is bound to a
customer sees stands in a policy of its own, to which a session that is bound to none never comes;
there it may read its settings for each row.
"""

from typing import Protocol

TENANT = "current_setting('gridtally.tenant', true)"
CUSTOMER = "coalesce(current_setting('gridtally.customer', true), '')"
UNBOUND_TENANT = f"(SELECT CASE {CUSTOMER} WHEN '' THEN {TENANT} ELSE '' END)"
"""The tenant of a session that is bound to no customer, read once per statement."""
_VISIBLE = f"tenant_id = {UNBOUND_TENANT} OR {UNBOUND_TENANT} = '*'"
_OF_BOUND_TENANT = f"tenant_id = {TENANT} AND {CUSTOMER} <> ''"


class Migrating(Protocol):
    """What is needed of `alembic.op`."""

    def execute(self, sqltext: str) -> None:
        """Run a statement."""


def isolate_tenants(op: Migrating, *tables: str) -> None:
    """Rows are seen and written only within a transaction of their tenant, by the owner too.

    Without a tenant nothing is seen at all; workers set `*` for every tenant. A session that is
    bound to a customer sees nothing, until another policy shows it something.
    """
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({_VISIBLE})")


def close_to_customers(op: Migrating) -> None:
    """Show nothing to sessions that are bound to a customer, in any table that an earlier migration
    has isolated."""
    quoted = _VISIBLE.replace("'", "''")
    op.execute(
        f"""
DO $$ DECLARE isolated text; BEGIN
    FOR isolated IN SELECT polrelid::regclass::text FROM pg_policy WHERE polname = 'tenant' LOOP
        EXECUTE 'ALTER POLICY tenant ON ' || isolated || ' USING ({quoted})';
    END LOOP;
END $$"""  # noqa: S608 - the expression is ours
    )


def show_to_customers(op: Migrating, table: str, condition: str) -> None:
    """Show a bound session those rows of its tenant for which `condition` holds; it writes none."""
    op.execute(
        f"CREATE POLICY customer ON {table} FOR SELECT USING ({_OF_BOUND_TENANT} AND {condition})"
    )


def show_own_rows(op: Migrating, *tables: str, column: str = "customer_id") -> None:
    """Show a bound session the rows whose `column` names its customer."""
    for table in tables:
        show_to_customers(op, table, f"{column}::text = {CUSTOMER}")


def show_common_rows(op: Migrating, *tables: str) -> None:
    """Show a bound session all rows of its tenant: facts of which none is of one customer."""
    for table in tables:
        show_to_customers(op, table, "true")


def show_rows_of(op: Migrating, parent: str, *tables: str) -> None:
    """Show a bound session the rows whose `<parent>_id` names a row of `parent` that it sees.

    A function and no subquery, which would be planned with each statement of every session.
    """
    op.execute(
        f"CREATE FUNCTION sees_{parent}(tenant text, row_id uuid) RETURNS boolean "
        "LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 SET plan_cache_mode = force_generic_plan "
        f"AS $$ BEGIN RETURN EXISTS (SELECT FROM {parent} p "
        "WHERE p.tenant_id = tenant AND p.id = row_id); END $$"
    )
    for table in tables:
        show_to_customers(op, table, f"sees_{parent}(tenant_id, {parent}_id)")


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
