"""Run as a program: imports the modules it is given, then forks itself for whoever asks.

Standard input is a socket: a request in JSON with the file that the fork's output goes to, and back
its pid with two descriptors, one to send it signals and one that tells its exit status. The end of
the socket ends it, and its end ends its forks, each by the signal it was given for that.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
REQUEST_BYTES_MAX = 1 << 20


class _Forks:
    """The forks that run, and for each where its exit status goes."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._endings: dict[int, int] = {}

    def start(self, output: int) -> bool:
        """Fork, and answer with the pid; True in the fork."""
        hears, tells = os.pipe()
        pid = os.fork()
        if pid == 0:
            for left in (self._control.detach(), hears, tells, *self._endings.values()):
                os.close(left)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
            return True
        self._endings[pid] = tells
        handle = os.pidfd_open(pid)
        socket.send_fds(self._control, [str(pid).encode()], [handle, hears])
        for sent in (output, hears, handle):
            os.close(sent)
        return False

    def bury(self) -> None:
        """Tell the exit status of all that have ended."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                tells = self._endings.pop(pid)
                with suppress(BrokenPipeError):
                    os.write(tells, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(tells)


def serve(control: socket.socket) -> dict[str, Any] | None:
    """Fork for each request: returns it in the fork, and None at the end of all requests."""
    woken, wakes = os.pipe2(os.O_NONBLOCK)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    forks = _Forks(control)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                forks.bury()
            if control in ready:
                asked, outputs, _, _ = socket.recv_fds(control, REQUEST_BYTES_MAX, 1)
                if not asked:
                    return None
                if forks.start(outputs[0]):
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.close(woken)
                    os.close(wakes)
                    request: dict[str, Any] = json.loads(asked)
                    return request


def become(
    server_pid: int,
    *,
    module: str,
    arguments: list[str],
    directory: str,
    environment: dict[str, str],
    death_signal: int,
) -> None:
    """Run a module as `python -m` does, in a session of its own."""
    # Whoever is started in the background of a shell ignores SIGINT, and all that it starts does:
    # then no death signal of that kind would end anything.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != server_pid:
        sys.exit("the fork server is gone")
    libc.prctl(PR_SET_NAME, module.rpartition(".")[2].encode())
    os.setsid()
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    """Import, then serve; what cannot be imported fails in the fork, in its own log."""
    for name in sys.argv[1:]:
        with suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that collections in forks leave the pages alone that they share
    own_pid = os.getpid()
    request = serve(socket.socket(fileno=os.dup(0)))
    if request is not None:
        with open(os.devnull) as nothing:  # noqa: PTH123 - no path of ours
            os.dup2(nothing.fileno(), 0)
        become(own_pid, **request)


if __name__ == "__main__":
    main()
