"""What a table to be exported is: columns of a kind each, and rows.

Refuses floats: a decimal stays a decimal, in every format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Format = Literal["csv", "parquet", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)
Kind = Literal["text", "id", "instant", "day", "decimal", "whole", "truth"]
"""What the cells of a column are: texts, UUIDs, aware datetimes, dates, Decimals, ints or bools;
None in each of them is an empty cell."""
Row = Sequence[object]
"""A cell for each column, in their order."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and what its cells are."""

    name: str
    kind: Kind = "text"
