"""Runs the benchmarks on the real servers and on the wheels; prints one table beside the bars.

Owns which figure answers which bar. Each benchmark is a script in a process of its own; README.md
says what it is given and what it writes.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from script import SMALL

from gridtally.local_stack.servers import ADMIN_URL, BOOTSTRAP, IDEMPOTENCE, servers

HERE = Path(__file__).parent
KINDS = ("real", "wheels")
SHARED = {"script", "api_process", "webhook_receiver"}
"""What the scripts share, and the processes that they start: no benchmarks themselves."""
Figures = dict[str, dict[str, dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of the table: which figure of which script, and its bar (`most`: an upper one)."""

    title: str
    unit: str
    bar: float
    script: str
    case: str
    metric: str
    most: bool = False

    def reached(self, value: float) -> bool:
        """Whether the bar is reached."""
        return value <= self.bar if self.most else value >= self.bar


MEASURES = (
    Measure(
        "day blocks, from Kafka to committed channel-days",
        "readings/s",
        1_000_000,
        "record_readings",
        "day blocks",
        "readings_per_s",
    ),
    Measure(
        "single-interval messages, the same way",
        "messages/s",
        40_000,
        "record_readings",
        "single readings",
        "messages_per_s",
    ),
    Measure(
        "monthly 15-minute time-of-use bills with lines, one core",
        "bills/s",
        20_000,
        "rate_bills",
        "time of use, month of 15 minutes",
        "bills_per_s",
    ),
    Measure(
        "period.closed → invoice, lines, evidence and outbox committed",
        "invoices/s",
        500,
        "bill_periods",
        "invoices from month series",
        "per_s",
    ),
    Measure(
        "last reading → posted in the ledger, 10 000 meters × a month of 15 minutes",
        "s",
        60,
        "bill_city",
        "a city of 10000 meters",
        "last_reading_to_booked_s",
        most=True,
    ),
    Measure(
        "gateway publish → readable by API, p99 at half load",
        "s",
        1,
        "bill_city",
        "publish to readable",
        "p99_s",
        most=True,
    ),
    Measure(
        "memory of the largest service process",
        "MB",
        400,
        "bill_city",
        "the services",
        "largest_peak_memory_mb",
        most=True,
    ),
    Measure(
        "fleet cost of 1 000 devices of 15 minutes, 366 days",
        "s",
        2,
        "cost_fleets",
        "fleet of 1000 devices, 366 days",
        "seconds",
        most=True,
    ),
    Measure(
        "10 000 houses, a month of stored 15-minute readings simulated",
        "s",
        15,
        "simulate_houses",
        "10000 houses, a month of stored readings, second run",
        "seconds",
        most=True,
    ),
    Measure(
        "100 000 generated house-months simulated",
        "s",
        60,
        "simulate_houses",
        "100000 generated house-months",
        "seconds",
        most=True,
    ),
    Measure(
        "invoices as PDF/A-3, one core",
        "documents/s",
        50,
        "draw_documents",
        "invoice, pdf",
        "per_s",
    ),
    Measure(
        "webhooks delivered to ten endpoints",
        "messages/s",
        1_000,
        "deliver_webhooks",
        "to 10 endpoints",
        "per_s",
    ),
    Measure(
        "bulk read of readings",
        "readings/s",
        10_000_000,
        "simulate_houses",
        "bulk read of 2000 meters' month, of ingest alone",
        "readings_per_s",
    ),
)
WITHOUT_SERVERS = {"compare_pysam", "compare_pysam_netting", "draw_documents", "rate_bills"}


def main() -> int:
    """Exit status 1 when a benchmark failed; a bar that is missed is no failure."""
    scripts = sorted({path.stem for path in HERE.glob("[a-z]*.py")} - SHARED)
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--servers", choices=KINDS, action="append", help="default: both")
    parser.add_argument("--only", choices=scripts, action="append", help="default: all")
    parser.add_argument("--small", action="store_true", help="see that they work; measures nothing")
    parser.add_argument("--out", type=Path, default=Path(".cache/bench"))
    arguments = parser.parse_args()
    if arguments.small:
        os.environ[SMALL] = "1"
    chosen = set(arguments.only or scripts)
    failed: list[str] = []
    figures: dict[str, Figures] = {}
    for kind in arguments.servers or KINDS:
        figures[kind] = {}
        for script in sorted(chosen):
            sys.stdout.write(f"\n--- {script}, {kind}\n")
            with environment(kind, needed=script not in WITHOUT_SERVERS) as given:
                found = run(script, given, arguments.out / kind / f"{script}.json")
            if found is None:
                failed.append(f"{script} on {kind}")
            else:
                figures[kind][script] = found
    write_summary(arguments.out / "summary.json", figures)
    sys.stdout.write(table(figures))
    for name in failed:
        sys.stdout.write(f"failed: {name}\n")
    return 1 if failed else 0


@contextmanager
def environment(kind: str, *, needed: bool) -> Iterator[Mapping[str, str]]:
    """The environment of a benchmark, with servers of its own for the length of the block."""
    if not needed:
        yield os.environ
        return
    with tempfile.TemporaryDirectory(prefix="gridtally-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as nobody when we are root
        with servers(Path(folder), kind, environment={}) as running:
            for line in running.descriptions:
                sys.stdout.write(f"{line}\n")
            yield os.environ | {
                BOOTSTRAP: running.bootstrap,
                ADMIN_URL: running.admin_url,
                IDEMPOTENCE: str(running.idempotence).lower(),
            }


def run(script: str, given: Mapping[str, str], target: Path) -> dict[str, Any] | None:
    """The figures that a script wrote; None when it failed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    sys.stdout.flush()
    command = [sys.executable, str(HERE / f"{script}.py"), "--json", str(target)]
    ended = subprocess.run(command, env=dict(given), check=False)
    if ended.returncode != 0:
        return None
    figures: dict[str, Any] = json.loads(target.read_text())["figures"]
    return figures


def write_summary(target: Path, figures: dict[str, Figures]) -> None:
    """All figures and what they were measured on."""
    machine = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"machine": machine, "figures": figures}, indent=2) + "\n")


def table(figures: dict[str, Figures]) -> str:
    """The bars and, beside them, what was measured on each kind of server."""
    rows = [("measure", "bar", *figures)]
    for measure in MEASURES:
        bar = f"{'≤ ' if measure.most else ''}{measure.bar:,} {measure.unit}"
        rows.append((measure.title, bar, *(cell(measure, results) for results in figures.values())))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n" + "\n".join(lines) + "\n"


def cell(measure: Measure, figures: Figures) -> str:
    """What was measured, marked where the bar is missed."""
    value = figures.get(measure.script, {}).get(measure.case, {}).get(measure.metric)
    if value is None:
        return "–"
    return f"{value:,}" + ("" if measure.reached(value) else " (missed)")


if __name__ == "__main__":
    sys.exit(main())
