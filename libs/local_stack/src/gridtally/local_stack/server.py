"""Owns one running server: its directory, its port, and the way from start to stop."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from gridtally.local_stack import process
from gridtally.local_stack.errors import StackError

PORT_ATTEMPTS_MAX = 5
POLL_S = 0.02
STOP_LIMIT_S = 20.0
LOG_BYTES_MAX = 16 * 1024 * 1024


class Program(Protocol):
    """What a `Server` needs to know of the program it runs."""

    @property
    def title(self) -> str:
        """What people call it, with its version."""

    @property
    def process_name(self) -> str:
        """The name its processes show, by which leftovers are found."""

    @property
    def stop_signal(self) -> signal.Signals:
        """The signal that makes it shut down quickly and cleanly."""

    @property
    def start_limit_s(self) -> float:
        """How long a start may take, recovery included."""

    def prepare(self, directory: Path) -> None:
        """Make the data directory usable; runs before each start, under the lock."""

    def user(self, directory: Path) -> process.User:
        """The user it runs as."""

    def command(self, directory: Path, port: int) -> list[str]:
        """The command line that serves `port` of loopback."""

    def environment(self, port: int) -> Mapping[str, str] | None:
        """Its environment variables; None hands on our own."""

    def is_ready(self, directory: Path, port: int, pid: int) -> bool:
        """Whether it answers now."""


class Server:
    """A server process on loopback. One directory is served by one `Server` at a time.

    A port that the caller names is kept or refused; else a free one is taken at the first start
    and kept for later ones, so that a restarted server is found where it was.
    """

    def __init__(
        self,
        program: Program,
        directory: Path,
        port: int | None = None,
        *,
        spawn: process.Spawn = process.spawn,
    ) -> None:
        self.program = program
        self._spawn_by = spawn
        self.directory = directory.resolve()  # as leftovers name their working directory
        self.log = self.directory / "server.log"
        self._asked_port = port
        self._port = port
        self._process: process.Child | None = None
        self._held = ExitStack()
        self._log_start_byte = 0

    @property
    def port(self) -> int:
        """The port it listens on; there is none before the first start."""
        if self._port is None:
            raise StackError(f"{self.program.title} was never started")
        return self._port

    @property
    def pid(self) -> int | None:
        """The running process, or None."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process and running else None

    def start(self) -> None:
        """Start and wait until it answers. Raises StackError with the reason and the log's end."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start without waiting, so that several servers can come up side by side."""
        if self.pid:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        if self._process is None:
            self._lock()
        with self._stopped_on_failure():
            process.end_leftovers(
                self.directory, self.program.process_name, self.program.stop_signal, STOP_LIMIT_S
            )
            if self._asked_port and not process.is_port_free(self._asked_port):
                raise StackError(f"{self.program.title}: port {self._asked_port} is taken")
            self.program.prepare(self.directory)
            self._spawn()

    def wait_ready(self) -> None:
        """Wait until the launched server answers.

        At its first start a port lost to another program is replaced; later ones know it there.
        """
        attempts = 0
        with self._stopped_on_failure():
            while not self._is_ready_before_limit():
                attempts += 1
                said = process.last_lines(self.log, since_byte=self._log_start_byte)
                lost_port = "address already in use" in said.lower()
                if self._asked_port or not lost_port or attempts == PORT_ATTEMPTS_MAX:
                    raise StackError(f"{self.program.title} did not start; its log ends:\n{said}")
                self._port = None
                self._spawn()
        self._asked_port = self._port

    def stop(self) -> None:
        """Shut down, by SIGKILL when it takes longer than 20 s, and let the directory go."""
        if self._process is not None:
            process.stop(self._process, self.program.stop_signal, STOP_LIMIT_S)
            self._process = None
        self._held.close()

    def kill(self) -> None:
        """SIGKILL, as a crash would; `start` brings it back on the same port and data."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @contextmanager
    def _stopped_on_failure(self) -> Iterator[None]:
        """Whatever cuts a start short, a signal too, leaves no process and no lock behind."""
        with ExitStack() as undone:
            undone.callback(self.stop)
            yield
            undone.pop_all()

    def _lock(self) -> None:
        taken = f"{self.program.title} is already running in {self.directory}"
        self._held.enter_context(process.locked(self.directory / "lock", wait=False, taken=taken))

    def _spawn(self) -> None:
        self._port = self._port or process.free_port()
        self._log_start_byte = self.log.stat().st_size if self.log.exists() else 0
        if self._log_start_byte > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".old.log"))
            self._log_start_byte = 0
        self._process = self._spawn_by(
            self.program.command(self.directory, self._port),
            log=self.log,
            cwd=self.directory,
            env=self.program.environment(self._port),
            death_signal=self.program.stop_signal,
            user=self.program.user(self.directory),
        )
        self._deadline_s = time.monotonic() + self.program.start_limit_s

    def _is_ready_before_limit(self) -> bool:
        while (pid := self.pid) is not None:
            if self.program.is_ready(self.directory, self.port, pid):
                return True
            if time.monotonic() > self._deadline_s:
                limit_s = self.program.start_limit_s
                raise StackError(f"{self.program.title} was not ready within {limit_s:.0f} s")
            time.sleep(POLL_S)
        return False
