"""Entity tags on integer versions: nobody overwrites what they have not seen.

A resource's version is its tag, `"7"`; a change names the version it was made from in `If-Match`
(RFC 9110, section 13.1.1). 428 where that is missing but needed, 412 where it is an older one.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Response

from gridtally.http.problems import HttpRefusal


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The versions that the caller takes; None for any."""

    versions: frozenset[int] | None

    def check(self, version: int) -> None:
        """HttpRefusal 412 when the resource, whose row must be locked, is at another version."""
        if self.versions is not None and version not in self.versions:
            raise HttpRefusal(
                412,
                "version_moved",
                f"the resource is at version {version}; read it again",
                {"ETag": etag(version)},
            )


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def tag(response: Response, version: int) -> None:
    """Set the answer's ETag."""
    response.headers["ETag"] = etag(version)


async def _optional(if_match: Annotated[str | None, Header(max_length=1024)] = None) -> IfMatch:
    if if_match is None or if_match.strip() == "*":
        return IfMatch(None)
    tags = (tag.strip().strip('"') for tag in if_match.split(","))
    return IfMatch(frozenset(int(tag) for tag in tags if tag.isascii() and tag.isdigit()))


async def _required(if_match: Annotated[str | None, Header(max_length=1024)] = None) -> IfMatch:
    if if_match is None:
        raise HttpRefusal(
            428, "version_required", "name the version you have seen: If-Match with its ETag"
        )
    return await _optional(if_match)


OptionalMatch = Annotated[IfMatch, Depends(_optional)]
RequiredMatch = Annotated[IfMatch, Depends(_required)]
