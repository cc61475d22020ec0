"""What benchmark scripts share: their arguments, a database of their own, a clock, and telling."""

import argparse
import asyncio
import json
import os
import resource
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

from gridtally.database.migrations import upgrade
from gridtally.local_stack.provision import create_database, drop_database
from gridtally.local_stack.servers import ADMIN_URL
from gridtally.observability.logs import configure

Figures = Mapping[str, Mapping[str, float]]
"""By case and metric."""
SMALL = "GRIDTALLY_BENCH_SMALL"
"""Set, it makes every benchmark small: enough to see that it works, too little to measure."""
SMALL_PART = 50


def sized(count: int, *, least: int = 1) -> int:
    """So many of something, or, where benchmarks are to be small, a fiftieth of them."""
    return max(least, count // SMALL_PART) if SMALL in os.environ else count


@dataclass(frozen=True, slots=True)
class Rate:
    """How many per second, and what each took of this process, which load moves least."""

    per_s: float
    cpu_us: float


class Clock:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = perf_counter(), process_time()

    def rate(self, count: int) -> Rate:
        """Of so many until now."""
        wall_s, cpu_s = perf_counter() - self._wall_s, process_time() - self._cpu_s
        return Rate(count / wall_s, cpu_s * 1e6 / count)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser that knows where the figures go."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, required=True)
    return parser


@contextmanager
def own_database(service: str, *, timescale: bool = False) -> Iterator[str]:
    """The URL of a fresh database with the service's schema; it is dropped afterwards.

    The process logs as the service would, at the same cost, but to nobody; a crash is reported.
    """
    configure(service, stream=Path(os.devnull).open("w"))  # noqa: SIM115 - open until the end
    sys.excepthook = sys.__excepthook__
    admin_url = os.environ[ADMIN_URL]
    name = f"bench_{service}_{secrets.token_hex(4)}"
    url = asyncio.run(create_database(admin_url, name, secrets.token_hex(8), timescale=timescale))
    try:
        upgrade(url, package=f"gridtally.{service}")
        yield url
    finally:
        asyncio.run(drop_database(admin_url, name))


def peak_memory_mb() -> int:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def tell(headline: str, figures: Figures, target: Path) -> None:
    """Show the figures to a person and write them to `target`."""
    sys.stdout.write(f"{headline}\n")
    width = max(map(len, figures)) + 2
    for case, results in figures.items():
        row = ", ".join(f"{metric} {value:,}" for metric, value in results.items())
        sys.stdout.write(f"{case:{width}}{row}\n")
    target.write_text(json.dumps({"figures": figures}, indent=2) + "\n")
