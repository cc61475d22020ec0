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
    days = {key[4]: copy.day_number(key[4]) for key in keys}
    rows = zip(
        copy.texts([key[0] for key in keys]),
        copy.texts([key[2] for key in keys]),
        copy.fixed(
            copy.uuids([key[1] for key in keys]),
            np.array([key[3] for key in keys], np.int16),
            np.array([days[key[4]] for key in keys], np.int32),
        ),
        strict=True,
    )
    return [b"".join(row) for row in rows]


def bounds(keys: Sequence[DayKey]) -> tuple[date, date]:
    """The first and the last day, which let a query leave chunks out."""
    days = {key[4] for key in keys}
    return min(days), max(days)
