"""What bodies cost once they are taken apart, and how much of it a process takes on at once.

A body of 15 MB may become 5 000 000 objects, and a hundred bodies may come at once: a bound on the
bytes of one bounds neither. Owns how many objects, names and values a JSON body may hold, counted
on its bytes before any is made, the budget that all bodies at hand share, and where large ones are
taken apart. Refuses to parse: marks within texts are counted too, so the bounds are far above what
an endpoint takes.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from gridtally.http.problems import HttpRefusal

OBJECTS_MAX = 100_000
"""Objects and lists of one body: over twice as many as the largest upload of prices."""
NAMES_MAX = 300_000
"""Colons of one body: of its names, and of the times of day in its texts."""
VALUES_MAX = 1_500_000
"""Commas of one body: 10 000 days of quarter-hours, with what stands around them."""
OBJECT_BYTES, NAME_BYTES, VALUE_BYTES = 100, 100, 24
"""What each takes in memory, roughly, once it is made."""
SMALL_BYTES = 64 * 1024
"""So much of each body is not counted: small ones are taken also while large ones are at hand."""
RETRY_AFTER_S = 2
T = TypeVar("T")


@dataclass(slots=True)
class Marks:
    """What a JSON body holds, as far as it has come in."""

    objects: int = 0
    names: int = 0
    values: int = 0

    def count(self, piece: bytes) -> None:
        """Count the next piece; HttpRefusal (413) where the body holds more than one may."""
        self.objects += piece.count(b"{") + piece.count(b"[")
        self.names += piece.count(b":")
        self.values += piece.count(b",")
        for count, count_max, what in (
            (self.objects, OBJECTS_MAX, "objects and lists"),
            (self.names, NAMES_MAX, "names"),
            (self.values, VALUES_MAX, "values"),
        ):
            if count > count_max:
                detail = f"a body may hold at most {count_max} {what}; send it in parts"
                raise HttpRefusal(413, "body_too_large", detail)

    @property
    def memory_bytes(self) -> int:
        """What they take, roughly, once they are made."""
        return self.objects * OBJECT_BYTES + self.names * NAME_BYTES + self.values * VALUE_BYTES


@dataclass(slots=True)
class WorkBudget:
    """What all bodies at hand may take in memory together; each caller has at most half of it.

    One body that is alone is always taken, however small the budget.
    """

    bytes_max: int
    taken: Counter[str] = field(default_factory=Counter)

    def share(self, caller: str) -> "Share":
        """The share of a request of this caller, which is empty so far."""
        return Share(self, caller)


@dataclass(slots=True)
class Share:
    """What one request has taken of the budget; whoever took it gives it back."""

    budget: WorkBudget
    caller: str
    counted_bytes: int = 0

    def grow_to(self, bytes_needed: int) -> None:
        """Take what is missing; HttpRefusal (503) where that is more than is left."""
        more_bytes = max(0, bytes_needed - SMALL_BYTES) - self.counted_bytes
        if more_bytes <= 0:
            return
        budget, taken = self.budget, self.budget.taken
        others_bytes = taken.total() - self.counted_bytes
        callers_bytes = taken[self.caller] - self.counted_bytes
        needed_bytes = self.counted_bytes + more_bytes
        is_beyond = others_bytes and others_bytes + needed_bytes > budget.bytes_max
        is_greedy = callers_bytes and callers_bytes + needed_bytes > budget.bytes_max // 2
        if is_beyond or is_greedy:
            raise HttpRefusal(
                503,
                "busy",
                "as many large bodies as the service takes at once are at hand; try again",
                {"Retry-After": str(RETRY_AFTER_S)},
            )
        taken[self.caller] += more_bytes
        self.counted_bytes = needed_bytes

    def give_back(self) -> None:
        """The request has ended."""
        taken = self.budget.taken
        taken[self.caller] -= self.counted_bytes
        if not taken[self.caller]:
            del taken[self.caller]
        self.counted_bytes = 0


class BodyReader:
    """Takes large bodies apart beside the event loop, one after another: more threads would only
    take turns at the interpreter, and the loop would get its own the more seldom."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore()

    async def read(self, body_bytes: int, work: Callable[[], T]) -> T:
        """What `work` makes of a body of so many bytes; raises what `work` raises."""
        if body_bytes <= SMALL_BYTES:
            return work()
        async with self._turn:
            return await asyncio.to_thread(work)
