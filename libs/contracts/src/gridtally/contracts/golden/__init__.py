"""Golden messages: events as they were once sent, key, headers and value.

Owns the files beside this one, `<topic>.json` and `<topic>.<number>.json`, of which one that has
been released never changes. Tests hold every later contract to them, and the AsyncAPI document
shows them as examples.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SUPERSEDED = {"meter.registered.v1": "meter.registered.v1.1"}
"""Messages in a form that is read, but no longer written, and the same ones as they are written
now: a field has got another name."""


@dataclass(frozen=True, slots=True)
class GoldenMessage:
    """One message as it was once sent, and the name of its file without `.json`."""

    name: str
    key: str
    headers: Mapping[str, str]
    value: Mapping[str, Any]

    @property
    def topic(self) -> str:
        """The name of its topic, which is its `ce_type`."""
        return self.headers["ce_type"]

    @property
    def is_current(self) -> bool:
        """Whether messages are still written like this."""
        return self.name not in SUPERSEDED


@cache
def golden_messages() -> tuple[GoldenMessage, ...]:
    """All golden messages, by name."""
    paths = sorted(Path(__file__).parent.glob("*.json"))
    return tuple(GoldenMessage(name=path.stem, **json.loads(path.read_text())) for path in paths)
