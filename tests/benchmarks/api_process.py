"""The API of a service as a process of its own, and callers who post to it over kept connections.

What a caller here costs is little beside a request: it writes bytes and looks for the status.
"""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa
from script import Rate

from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.http.keys import api_key, sha256_hex
from gridtally.local_stack.process import LOOPBACK, free_port

READY_LIMIT_S = 120.0
UNLIMITED = "1000000"
CREATED, UNAVAILABLE = 201, 503
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Api:
    """A service that answers at `port` those who show `token`."""

    port: int
    token: str
    pid: int

    async def post_all(self, requests: Sequence[tuple[str, bytes]], connections: int) -> Rate:
        """Post so many JSON bodies, each caller one after the other; `cpu_us` is the service's."""
        await self.until_open(requests[0][0])
        begun_s, cpu_s = perf_counter(), self._cpu_s()
        await asyncio.gather(*(self._post(requests[n::connections]) for n in range(connections)))
        took_s, used_s = perf_counter() - begun_s, self._cpu_s() - cpu_s
        return Rate(len(requests) / took_s, used_s * 1e6 / len(requests))

    async def _post(self, requests: Sequence[tuple[str, bytes]]) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        for path, body in requests:
            status, content = await self._exchange(reader, writer, path, body)
            if status != CREATED:
                sys.exit(f"wrong: {path} was answered {status} {content!r}")
        writer.close()

    async def until_open(self, path: str) -> None:
        """Wait until it takes writes: it has read first what it had published."""
        async with asyncio.timeout(READY_LIMIT_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
            while True:  # it is another process, so there is nothing to wait for
                status, _ = await self._exchange(reader, writer, path, b"{}")
                if status != UNAVAILABLE:
                    break
                await asyncio.sleep(0.1)
            writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes
    ) -> tuple[int, bytes]:
        """The status and body that a POST is answered with."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answered = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answered.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        return int(answered.split(b" ", 2)[1]), await reader.readexactly(length)

    def _cpu_s(self) -> float:
        """What the process has used of a processor."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


@asynccontextmanager
async def serving(service: str, url: str, tenant: str) -> AsyncIterator[Api]:
    """The API of a service on a database, with a key of a tenant that no rate limits."""
    secret, key_id, port = secrets.token_urlsafe(32), secrets.token_hex(6), free_port()
    async with (
        await Database.connect(url, application="bench") as database,
        transaction(database, tenant=ALL_TENANTS) as tx,
    ):
        scopes = [f"{service}:read", f"{service}:write"]
        await tx.execute(
            sa.insert(api_key).values(
                key_id=key_id,
                tenant_id=tenant,
                secret_sha256=sha256_hex(secret),
                scopes=scopes,
                name="bench",
            )
        )
    settings = {
        "DATABASE_URL": url,
        "HTTP_PORT": str(port),
        "RATE_LIMIT_PER_S": UNLIMITED,
        "TENANT_RATE_LIMIT_PER_S": UNLIMITED,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"gridtally.{service}", "api",
        env=os.environ | settings, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await _until_answered(port)
        yield Api(port, f"gt_{key_id}_{secret}", process.pid)
    finally:
        process.terminate()
        await process.wait()


async def _until_answered(port: int) -> None:
    async with asyncio.timeout(READY_LIMIT_S):
        while True:
            try:
                socket.create_connection((LOOPBACK, port), 1).close()
            except OSError:
                await asyncio.sleep(0.1)
            else:
                return
