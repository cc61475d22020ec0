"""What is wrong with a value that a model refuses, described for at most so many of its parts.

pydantic finds every fault and describes all or none, which takes seconds and gigabytes for a body
of a million wrong parts, of which an answer shows a hundred. Owns that cut. Nothing else calls
`ValidationError.errors`, which a test in tests/architecture holds.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

DESCRIBED_MAX = 1_000
"""Where there are more faults, those of the value's beginning are described."""
PARTS_MAX = 1_000
"""Parts of the value that make its beginning, all levels together."""
DEPTH_MAX = 20
"""Below that a value is taken as it is: no model of ours goes so deep."""
_JSON: TypeAdapter[Any] = TypeAdapter(Any)

Details = Mapping[str, Any]
"""A fault as pydantic describes it: `type`, `loc` and `msg`."""


# The beginning of the value is validated once more, and its faults are described. What is missing
# in an object that was cut may have been cut off, so such faults are left out.
def faults_of(
    invalid: ValidationError, value: object, validate: Callable[[Any], object]
) -> list[Details]:
    """The faults for which `validate` refused `value`, without what was sent; all where they are
    few, else how many there are, and the first. Bytes are JSON, for the value as for `validate`."""
    count = invalid.error_count()
    if count <= DESCRIBED_MAX:
        return _described(invalid)
    beginning = _Beginning()
    parsed = _JSON.validate_json(value) if isinstance(value, bytes) else value
    summary = {
        "type": "too_many_faults", "loc": (), "msg": f"has {count} faults; some are described",
    }  # fmt: skip
    try:
        first_parts = beginning.of(parsed)
        validate(_JSON.dump_json(first_parts) if isinstance(value, bytes) else first_parts)
    except ValidationError as first:
        few = first.error_count() <= DESCRIBED_MAX * DEPTH_MAX
        described = _described(first) if few else []
    else:
        described = []
    return [
        summary,
        *(fault for fault in described if fault["type"] != "missing" or not beginning.is_cut),
    ]


def _described(invalid: ValidationError) -> list[Details]:
    return list(invalid.errors(include_url=False, include_input=False))


class _Beginning:
    """Takes the first parts of a value."""

    def __init__(self) -> None:
        self._left = PARTS_MAX
        self.is_cut = False
        """Whether an object has lost some of its names."""

    def of(self, value: Any, depth: int = 0) -> Any:
        """The value with as many of its parts as are left."""
        if depth == DEPTH_MAX:
            return value
        if isinstance(value, Mapping):
            kept = {}
            for name, part in value.items():
                if self._left <= 0:
                    self.is_cut = True
                    break
                self._left -= 1
                kept[name] = self.of(part, depth + 1)
            return kept
        if isinstance(value, list):
            items = []
            for part in value:
                if self._left <= 0:
                    break
                self._left -= 1
                items.append(self.of(part, depth + 1))
            return items
        return value
