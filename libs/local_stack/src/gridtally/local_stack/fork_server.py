"""Owns a process that has imported all services, and starts each of them by forking itself.

Importing a service takes two seconds of processor time, a fork a hundredth of one, and what was
imported is in memory once.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gridtally.local_stack import process
from gridtally.local_stack.errors import StackError

LOADED_PROCESS = "gridtally.local_stack.loaded_process"
LOG = "fork-server.log"
STATUS_BYTES = 12
STOP_LIMIT_S = 20.0


class Forked:
    """A fork, with what `subprocess.Popen` has for a process of one's own."""

    def __init__(self, pid: int, handle: int, ending: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._handle = handle
        self._ending = ending

    def poll(self) -> int | None:
        """Its exit status, less than zero for the signal that ended it; None while it runs."""
        return self._status_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended; TimeoutExpired when it has not in `timeout` s."""
        status = self._status_within(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """End it by SIGKILL, if it runs."""
        self.send_signal(signal.SIGKILL)

    def _status_within(self, limit_s: float | None) -> int | None:
        if self.returncode is not None:
            return self.returncode
        ending = select.poll()  # which takes any descriptor, as `select` does not
        ending.register(self._ending, select.POLLIN)
        if ending.poll(None if limit_s is None else limit_s * 1000):
            said = os.read(self._ending, STATUS_BYTES)
            # A server that ends without a word takes its forks with it.
            self.returncode = int(said) if said else -signal.SIGKILL
            os.close(self._ending)
            os.close(self._handle)
        return self.returncode


class ForkServer:
    """Forks what `process.spawn` would start, for argument vectors `python -m MODULE …`."""

    def __init__(self, modules: Sequence[str], directory: Path) -> None:
        self._modules = modules
        self._directory = directory
        self._turns = threading.Lock()
        self._start()

    def _start(self) -> None:
        self._control, listening = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with listening:
            self._process = process.spawn(
                [sys.executable, "-P", "-m", LOADED_PROCESS, *self._modules],
                log=self._directory / LOG,
                cwd=self._directory,
                stdin=listening.fileno(),
            )

    def spawn(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
        user: process.User = "own",
    ) -> process.Child:
        """Start `python -m MODULE …` as `process.spawn` does, as the user who started the stack.

        A server that has died is started again first.
        """
        del user
        _, _, module, *arguments = argv
        asked = {
            "module": module,
            "arguments": arguments,
            "directory": str(cwd),
            "environment": dict(os.environ if env is None else env),
            "death_signal": death_signal.value,
        }
        with self._turns, log.open("ab") as output:
            if self._process.poll() is not None:
                self._control.close()
                self._start()
            with suppress(ConnectionError):
                socket.send_fds(self._control, [json.dumps(asked).encode()], [output.fileno()])
                said, handles, _, _ = socket.recv_fds(self._control, STATUS_BYTES, 2)
                if said:
                    return Forked(int(said), *handles)
        raise StackError(
            f"the services could not be loaded; the log ends:\n"
            f"{process.last_lines(self._directory / LOG)}"
        )

    def close(self) -> None:
        """End it, and with it what it has forked and still runs."""
        self._control.close()
        process.stop(self._process, signal.SIGTERM, STOP_LIMIT_S)


FORKS_ARE_SAFE = sys.platform == "linux"
"""Elsewhere a process that has loaded as much as the services may not be forked."""


@contextmanager
def forking(modules: Sequence[str], directory: Path) -> Iterator[process.Spawn]:
    """How to start programs that import `modules`, for the length of the block."""
    server = ForkServer(modules, directory)
    try:
        yield server.spawn
    finally:
        server.close()
