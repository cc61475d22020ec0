"""Channel-day keys as columns, for COPY."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from database import copy
from database.copy import Field
from ingest.domain.intake import DayKey


def key_columns(
    keys: Sequence[DayKey],
) -> tuple[list[Field], list[Field], list[Field], list[Field]]:
    """Tenants, meters, flows, and minutes with days."""
    days = {key[4]: copy.day_number(key[4]) for key in keys}
    return (
        copy.texts([key[0] for key in keys]),
        copy.uuids([key[1] for key in keys]),
        copy.texts([key[2] for key in keys]),
        copy.numbers(
            np.array([key[3] for key in keys], np.int16),
            np.array([days[key[4]] for key in keys], np.int32),
        ),
    )


def bounds(keys: Sequence[DayKey]) -> tuple[date, date]:
    """The first and the last day, which let a query leave chunks out."""
    days = {key[4] for key in keys}
    return min(days), max(days)
