"""What a local stack writes about itself into its data directory, for the commands to find it.

The process that brought the stack up writes the state file and removes it at the end. A pid in it
counts only together with the time at which its process started: a pid alone may be another's.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import psutil

STATE = "state.json"
OPERATOR_TOKEN = "operator-token"  # noqa: S105 - the name of a file
API_KEY = "api-key"
CLOCK_STEP_MAX_S = 2.0
"""Start times come from a clock that may be put right by so much meanwhile."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A process as the state file names it."""

    name: str
    pid: int
    started_at_s: float
    address: str

    @classmethod
    def of(cls, name: str, pid: int, address: str) -> Self:
        """The process with this pid, which is running now."""
        return cls(name, pid, psutil.Process(pid).create_time(), address)

    def find(self) -> psutil.Process | None:
        """The process, if it is still that one and no zombie."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            zombie = process.status() == psutil.STATUS_ZOMBIE
            same = abs(process.create_time() - self.started_at_s) < CLOCK_STEP_MAX_S
            if same and not zombie:
                return process
        return None


@dataclass(frozen=True, slots=True)
class StackState:
    """What the state file holds; `owner` is the process that brought the rest up."""

    owner: RunningProcess
    ready: bool
    processes: tuple[RunningProcess, ...] = ()
    descriptions: tuple[str, ...] = ()

    def write(self, data_dir: Path) -> None:
        """Replace the state file in one step."""
        draft = data_dir / f"{STATE}.new"
        draft.write_text(json.dumps(asdict(self), indent=2))
        draft.replace(data_dir / STATE)


def read_state(data_dir: Path) -> StackState | None:
    """What the last `up` wrote; None when it ended properly or never was."""
    try:
        raw: dict[str, Any] = json.loads((data_dir / STATE).read_text())
    except FileNotFoundError:
        return None
    return StackState(
        owner=RunningProcess(**raw["owner"]),
        ready=raw["ready"],
        processes=tuple(RunningProcess(**process) for process in raw["processes"]),
        descriptions=tuple(raw["descriptions"]),
    )


def default_data_dir(environment: Mapping[str, str]) -> Path:
    """The user's state folder: `$XDG_STATE_HOME/gridtally` or `~/.local/state/gridtally`."""
    home = environment.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "gridtally"
