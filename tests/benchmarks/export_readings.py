"""Measures exports of readings: rows per second, processor and peak memory of the ledger's API.

Run by `make bench ARGS="--only export_readings"`; README.md here says what a benchmark is given.
The API is a process of its own, met over HTTP and started again for every file, so that its memory
is that export's alone: ten thousand, a hundred thousand and a million readings in each format.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO
from uuid import UUID

import httpx
import psutil
import sqlalchemy as sa
from pyarrow import parquet
from script import arguments, own_database, sized, tell

from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.exports.columns import FORMATS, Format
from gridtally.http.keys import api_key, sha256_hex
from gridtally.local_stack.process import LOOPBACK, free_port

ROWS = (sized(10_000), sized(100_000), sized(1_000_000))
FILL_ROWS = sized(50_000)
BEGIN = datetime(2015, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=1)
TENANT, KEY_ID, SECRET = "bench", "benchkey0000", "s" * 43
START_LIMIT_S = 60.0
READ_LIMIT_S = 600.0
CHUNK_BYTES = 1024 * 1024
MB = 1024 * 1024

# A reading each minute, of a thousand meters in turn, every tenth one corrected since.
_FILL = """
INSERT INTO reading_entry (tenant_id, id, reading_id, version, supersedes_id, meter_id, property_id,
                           flow, kind, value, digits, decimals, multiplier, quality, note, read_at,
                           correlation_id)
SELECT $1, CASE v WHEN 1 THEN reading_id ELSE gen_random_uuid() END, reading_id, v,
       CASE v WHEN 1 THEN NULL ELSE reading_id END, meter_id, $3, 'import', 'reading',
       n + v * 0.125, 9, 3, 1, 'actual', CASE n % 7 WHEN 0 THEN 'read by hand, at noon' ELSE '' END,
       $2::timestamptz + n * interval '1 min', 'bench'
  FROM (SELECT n, gen_random_uuid() AS reading_id, lpad(to_hex(n % 1000), 32, '0')::uuid AS meter_id
          FROM generate_series($4::int, $5::int - 1) AS n) AS made
 CROSS JOIN LATERAL generate_series(1, CASE n % 10 WHEN 0 THEN 2 ELSE 1 END) AS v
"""


async def fill(url: str) -> None:
    """Enter the readings, and a key that may read them."""
    async with await Database.connect(url, application="bench") as database:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            row = {"key_id": KEY_ID, "tenant_id": TENANT, "secret_sha256": sha256_hex(SECRET)}
            await tx.execute(sa.insert(api_key).values(**row, scopes=["ledger:read"], name="bench"))
        for first in range(0, max(ROWS), FILL_ROWS):
            async with transaction(database, tenant=TENANT) as tx:
                await tx.raw.execute(_FILL, TENANT, BEGIN, UUID(int=1), first, first + FILL_ROWS)


@contextmanager
def api(url: str) -> Iterator[tuple[str, psutil.Process]]:
    """The ledger's API as a process: where it is, and the process."""
    port = free_port()
    settings = {"DATABASE_URL": url, "HTTP_HOST": LOOPBACK, "HTTP_PORT": str(port)}
    settings["LOG_LEVEL"] = "WARNING"
    command = [sys.executable, "-m", "gridtally.ledger", "api"]
    with subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL) as process:
        try:
            base = f"http://{LOOPBACK}:{port}"
            wait_ready(base, process)
            yield base, psutil.Process(process.pid)
        finally:
            process.terminate()


def wait_ready(base: str, process: "subprocess.Popen[bytes]") -> None:
    """Until the API says so; ends the benchmark when it takes too long, or has ended."""
    deadline_s = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{base}/health/ready").is_success:
                return
        time.sleep(0.1)
    sys.exit("the API did not start")


def fetch(base: str, params: dict[str, str], target: Path) -> tuple[float, float]:
    """Fetch an export into a file; seconds until its first byte, and until its last."""
    headers = {"Authorization": f"Bearer gt_{KEY_ID}_{SECRET}"}
    begun_s = time.perf_counter()
    first_s = 0.0
    with (
        httpx.stream(
            "GET", f"{base}/v1/readings/export", params=params, headers=headers,
            timeout=READ_LIMIT_S,
        ) as answer,
        target.open("wb") as file,
    ):  # fmt: skip
        answer.raise_for_status()
        for chunk in answer.iter_raw():
            first_s = first_s or time.perf_counter() - begun_s
            file.write(chunk)
    return first_s, time.perf_counter() - begun_s


def rows_in(path: Path, format_: Format) -> int:
    """How many rows a file has below its headings."""
    match format_:
        case "csv":
            return count_in(path.open("rb"), b"\n") - 1
        case "parquet":
            rows: int = parquet.read_metadata(path).num_rows
            return rows
        case "xlsx":
            with zipfile.ZipFile(path) as book:
                sheets = [name for name in book.namelist() if "worksheets/sheet" in name]
                return sum(count_in(book.open(name), b"</row>") - 1 for name in sheets)


def count_in(file: IO[bytes], mark: bytes) -> int:
    """How often a mark occurs in a file, which is closed."""
    found, held = 0, b""
    with file:
        while chunk := file.read(CHUNK_BYTES):
            held += chunk
            found += held.count(mark)
            held = held[len(held) - len(mark) + 1 :]
    return found


def measure(url: str, format_: Format, rows: int, folder: Path) -> dict[str, float]:
    """One file from a fresh process; a file that lacks rows ends the benchmark."""
    target = folder / f"readings.{format_}"
    upto = (BEGIN + rows * STEP).isoformat()
    with api(url) as (base, process):
        before = process.cpu_times()
        first_s, seconds = fetch(base, {"format": format_, "to": upto}, target)
        after = process.cpu_times()
        peak_mb = peak_memory_of(process)
    if (found := rows_in(target, format_)) != rows:
        sys.exit(f"wrong: {found} rows in a {format_} of {rows}")
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "rows_per_s": round(rows / seconds),
        "cpu_us_per_row": round(cpu_s * 1e6 / rows, 2),
        "first_byte_ms": round(first_s * 1_000),
        "peak_memory_mb": peak_mb,
        "file_mb": round(target.stat().st_size / MB, 1),
    }


def peak_memory_of(process: psutil.Process) -> int:
    """The most memory that another process has held, in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 // MB


def main() -> None:
    """Prints the figures and writes them."""
    given = arguments(__doc__).parse_args()
    figures = {}
    with own_database("ledger") as url, tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(url))
        for format_ in FORMATS:
            for rows in ROWS:
                case = f"{format_}, {rows:,} readings"
                figures[case] = measure(url, format_, rows, Path(folder))
    tell("one client, as fast as it can", figures, given.json)


if __name__ == "__main__":
    main()
