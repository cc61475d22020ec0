"""JSON of which every part counts.

A parser takes the last of two values under one name, and nobody who reads the first would know.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

NAME_CHARS_MAX = 40
"""Of a name that is quoted in a refusal."""


def read_json(text: str | bytes, *, parse_float: Callable[[str], Any] | None = None) -> Any:
    """The value of JSON; `parse_float` is as that of `json.loads`, such as Decimal.

    JSONDecodeError for what is none; ValueError for a name that an object has twice, for NaN and
    Infinity, which JSON does not have, for integers of thousands of digits, and for what is nested
    deeper than anybody writes.
    """
    try:
        return json.loads(
            text, parse_float=parse_float, object_pairs_hook=_object, parse_constant=_no_number
        )
    except RecursionError:
        raise ValueError("lists and objects are nested too deep") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"{twice[:NAME_CHARS_MAX]!r} is there twice in one object")
    return unique


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
