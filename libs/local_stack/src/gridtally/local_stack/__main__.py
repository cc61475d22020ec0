"""`python -m gridtally.local_stack`: one real server in the foreground, for developers and CI.

python -m gridtally.local_stack kafka DIR [--port N] [--cache DIR]
python -m gridtally.local_stack timescaledb DIR [--port N] [--cache DIR]
python -m gridtally.local_stack fetch [--cache DIR]     downloads both, starts nothing
"""

import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from pathlib import Path

from gridtally.local_stack.cache import default_cache
from gridtally.local_stack.errors import StackError
from gridtally.local_stack.kafka import kafka
from gridtally.local_stack.postgres import PASSWORD
from gridtally.local_stack.process import LOOPBACK
from gridtally.local_stack.server import Program, Server
from gridtally.local_stack.timescale import timescale

REAL: dict[str, Callable[[Path], Program]] = {"kafka": kafka, "timescaledb": timescale}


def main(argv: Sequence[str] | None = None) -> None:
    """Run until SIGINT or SIGTERM; exits with 1 and one message when that cannot be done."""
    parser = ArgumentParser(
        "python -m gridtally.local_stack",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=[*REAL, "fetch"])
    parser.add_argument("directory", type=Path, nargs="?")
    parser.add_argument("--port", type=int)
    parser.add_argument("--cache", type=Path, default=default_cache())
    asked = parser.parse_args(argv)
    try:
        if asked.what == "fetch":
            for get in REAL.values():
                print(get(asked.cache).title)  # noqa: T201 - the answer of a command
        elif asked.directory is None:
            parser.error("a data directory is needed")
        else:
            program = REAL[asked.what](asked.cache)
            _serve(Server(program, asked.directory.absolute(), asked.port))
    except StackError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped while starting")


def _serve(server: Server) -> None:
    stopping = {signal.SIGINT, signal.SIGTERM}
    with server:
        print(f"{server.program.title} on {LOOPBACK}:{server.port}")  # noqa: T201
        if (server.directory / PASSWORD).exists():
            print(f"user postgres, password in {server.directory / PASSWORD}")  # noqa: T201
        sys.stdout.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
        signal.sigwait(stopping)


if __name__ == "__main__":
    main()
