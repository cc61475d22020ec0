"""Payments of a bank's file are matched by an invoice's number, or by what is open of it."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """An index of numbers without what separates their parts, and one of open amounts."""
    op.execute(
        "CREATE INDEX open_item_by_number_key ON open_item "
        "(tenant_id, upper(regexp_replace(number, '[^0-9A-Za-z]', '', 'g')))"
    )
    op.execute(
        "CREATE INDEX open_item_by_open_amount ON open_item "
        "(tenant_id, currency, (total - allocated)) WHERE total > allocated"
    )
