"""The kinds of failure that Gridtally tells apart; everything else is a defect and crashes.

Owns the three words that consumers and APIs act on. Refuses to know HTTP, Kafka or SQL.
"""

from dataclasses import dataclass
from typing import Self


class GridtallyError(Exception):
    """The root of the failures that are expected and handled."""


class Transient(GridtallyError):
    """Something outside is away for now; the same call may succeed later."""


class Poison(GridtallyError):
    """A message that can never be understood; it belongs among the dead letters."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input, and where: `/components/3/rate`, `must be …`."""

    path: str
    detail: str


class Rejected(GridtallyError):
    """A business answer of "no": `code` is for programs, `detail` for people.

    `faults` names each place in the input that is to blame, when there are several.
    """

    def __init__(self, code: str, detail: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(code, detail, faults)  # all of them, so that it can be pickled
        self.code = code
        self.detail = detail
        self.faults = faults

    def __str__(self) -> str:
        return self.detail

    def moved(self, path: str, to: str) -> Self:
        """The same answer, where the input stands elsewhere: `/0/id` is `/items/0/id`."""
        faults = tuple(Fault(to + one.path.removeprefix(path), one.detail) for one in self.faults)
        return type(self)(self.code, self.detail, faults)


class NotFound(Rejected):
    """The thing that was named does not exist (for this tenant)."""


class Conflict(Rejected):
    """The thing has changed, or exists already, so that the request no longer fits."""
