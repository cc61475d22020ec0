"""Channel-day keys as columns, for COPY."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from database import copy
from database.copy import Field
from ingest.domain.intake import DayKey

KEY_COLUMNS = ("tenant_id", "flow", "meter_id", "minutes", "day")


def key_fields(keys: Sequence[DayKey]) -> list[Field]:
    """The `KEY_COLUMNS` of each key."""
    days = {key.day: copy.day_number(key.day) for key in keys}
    rows = zip(
        copy.texts([key.tenant_id for key in keys]),
        copy.texts([key.flow for key in keys]),
        copy.fixed(
            copy.uuids([key.meter_id for key in keys]),
            np.array([key.minutes for key in keys], np.int16),
            np.array([days[key.day] for key in keys], np.int32),
        ),
        strict=True,
    )
    return [b"".join(row) for row in rows]


def bounds(keys: Sequence[DayKey]) -> tuple[date, date]:
    """The first and the last day, which let a query leave chunks out."""
    days = {key.day for key in keys}
    return min(days), max(days)
