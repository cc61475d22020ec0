"""The one set of tables that the migrations are held against."""

import sqlalchemy as sa

METADATA = sa.MetaData()
