"""The kinds of failure that Gridtally distinguishes; everything else is a defect.

Owns the three kinds that consumers and APIs act on. Refuses to know HTTP, Kafka or SQL.
"""

from dataclasses import dataclass
from typing import Self


class GridtallyError(Exception):
    """The root of the failures that are expected and handled."""


class Transient(GridtallyError):
    """Something outside is away for now; the same call may succeed later."""


class NoRoom(Transient):
    """The disk that would hold it is full: somebody must make room, and a restart makes none."""


class Unreadable(Transient):
    """What lies beside the database is not there, or not as it was written: somebody must bring it
    back. `code` is for programs, `detail` for people: it names what is missing."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)  # both, so that it can be pickled
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


class Poison(GridtallyError):
    """A message that can never be understood; it belongs among the dead letters."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of an input: where it is, as a JSON pointer, and what must be there instead."""

    path: str
    detail: str


class Rejected(GridtallyError):
    """A request that is understood and refused: `code` is for programs, `detail` for people.

    `faults` are the parts of the input that are to blame, where they can be named.
    """

    def __init__(self, code: str, detail: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(code, detail, faults)  # all of them, so that it can be pickled
        self.code = code
        self.detail = detail
        self.faults = faults

    def __str__(self) -> str:
        return self.detail

    def relocated(self, path: str, to: str) -> Self:
        """The same error for a larger input, in which what stood at `path` stands at `to`.

        From "" to "/items" a fault at `/0/id` is one at `/items/0/id`.
        """
        faults = tuple(
            Fault(to + fault.path.removeprefix(path), fault.detail) for fault in self.faults
        )
        return type(self)(self.code, self.detail, faults)


class NotFound(Rejected):
    """What the request names does not exist (for this tenant)."""


class Conflict(Rejected):
    """What the request is about has changed, or exists already, so that it no longer fits."""


def is_closed_transport(failure: BaseException) -> bool:
    """Whether a connection was used after its other side had gone.

    uvloop raises a RuntimeError for that, where asyncio ignores what is written; drivers of the
    database and the broker pass it on as it is.
    """
    return isinstance(failure, RuntimeError) and "the handler is closed" in str(failure)
