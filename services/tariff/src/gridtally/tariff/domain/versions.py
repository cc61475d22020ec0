"""Versions of tariffs and calendars: what both have in common.

Owns the life of a version: `draft`, then `published`, then, of a tariff's, `withdrawn`. A draft may
change; a published version never does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gridtally.kernel.errors import Conflict, NotFound

Status = Literal["draft", "published", "withdrawn"]
Document = Mapping[str, Any]
"""What a version says, in JSON: a tariff (`gridtally.rating.document`) or a calendar."""


@dataclass(frozen=True, slots=True)
class VersionStep:
    """A step in a version's life: when, and by which API key."""

    at: datetime
    key_id: str


def check_draft(status: Status) -> None:
    """Conflict unless a version may still change."""
    if status != "draft":
        raise Conflict("version_immutable", f"a {status} version never changes")


def may_publish(status: Status) -> bool:
    """Whether publishing changes anything; Conflict where it must not."""
    if status == "withdrawn":
        raise Conflict("version_withdrawn", "a withdrawn version is never published again")
    return status == "draft"


def unknown_version() -> NotFound:
    """The answer where no version has the number."""
    return NotFound("version_unknown", "there is no version of this number")


def id_of_another_version(id_: object) -> Conflict:
    """The answer where the id is that of a version with other content, or of another owner."""
    return Conflict("version_exists", f"another version has the id {id_}")
