"""Owns child processes: they log to a file, die with us, and are found again after a crash."""

import fcntl
import functools
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol

import psutil

from gridtally.local_stack.errors import StackError

LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 32_768)
"""Below what Linux (from 32768) and macOS (from 49152) give out."""
PORT_TRIES_MAX = 100

User = Literal["own", "nobody", "mapped"]


class Child(Protocol):
    """A process that we have started; `subprocess.Popen` is one."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended; TimeoutExpired when it has not in `timeout` s."""

    def send_signal(self, sig: int) -> None:
        """Send a signal, if it runs."""

    def kill(self) -> None:
        """End it by SIGKILL, if it runs."""


class Spawn(Protocol):
    """A way to start a process; `spawn` is one."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
        user: User = "own",
    ) -> Child:
        """Start `argv`."""


@functools.cache
def _spawner() -> ThreadPoolExecutor:
    """The one thread that starts processes: Linux ties a child to the *thread* that made it."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    user: User = "own",
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start `argv` in a session of its own; output goes to the end of `log`.

    It gets `death_signal` when this process ends, however that happens (Linux).
    """
    script = Path(__file__).with_name("parent_watch.py")
    watch = [sys.executable, "-IS", str(script), str(os.getpid()), str(death_signal.value), user]
    with log.open("ab") as output:
        return (
            _spawner()
            .submit(
                subprocess.Popen,
                [*watch, *argv],
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=None if env is None else dict(env),
                start_new_session=True,
            )
            .result()
        )


def stop(process: Child, how: signal.Signals, limit_s: float) -> None:
    """Ask with `how`, wait `limit_s`, then SIGKILL. Fine when it has ended already."""
    process.send_signal(how)
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def finish(process: Child, what: str, limit_s: float) -> int:
    """The exit status of a program that ends by itself; StackError where it takes longer.

    Whatever cuts the wait short, a signal too, the program and what it has started are ended.
    """
    try:
        return process.wait(max(0.0, limit_s))
    except subprocess.TimeoutExpired as error:
        raise StackError(f"{what} took longer than it may; the machine is too busy") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # `spawn` gave it a group of its own
            process.wait()


def end_leftovers(directory: Path, name: str, how: signal.Signals, limit_s: float) -> None:
    """End processes called `name` that work in `directory`: what a killed parent left behind.

    A pid in a file is never trusted, since pids are reused; a working directory tells.
    Call it only while holding the directory's lock.
    """
    left = [p for p in psutil.process_iter(["name", "cwd"]) if _works_in(p, directory, name)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(how)
    _, alive = psutil.wait_procs(left, timeout=limit_s)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=limit_s)


def _works_in(process: psutil.Process, directory: Path, name: str) -> bool:
    cwd = process.info["cwd"]
    return process.info["name"] == name and bool(cwd) and Path(cwd).is_relative_to(directory)


@contextmanager
def locked(path: Path, *, wait: bool, taken: str = "") -> Iterator[None]:
    """Hold a lock that ends with this process; not waiting, a held one raises `taken`."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise StackError(taken) from None
        yield


def free_port() -> int:
    """A port of loopback that nobody listens on now. StackError when none is found.

    It is none that the system gives out by itself, to connections or to whoever asks for any port:
    a server that is down for a moment must find its port free again.
    """
    for _ in range(PORT_TRIES_MAX):
        port = secrets.choice(PORTS)
        if is_port_free(port):
            return port
    raise StackError(f"no port between {PORTS.start} and {PORTS.stop - 1} is free")


def is_port_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def last_lines(log: Path, *, since_byte: int = 0, lines: int = 8) -> str:
    """The end of a log, from `since_byte` on."""
    with log.open("rb") as file:
        file.seek(since_byte)
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])
