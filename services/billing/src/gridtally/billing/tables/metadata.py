"""What all of billing's tables are of."""

import sqlalchemy as sa

METADATA = sa.MetaData()
CURRENCY_RULE = "currency ~ '^[A-Z]{3}$'"
