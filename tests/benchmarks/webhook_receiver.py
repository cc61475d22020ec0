"""A receiver of webhooks as a process of its own: it answers 200, and counts what came.

It prints its port as it begins, and as its input ends how many messages came and how many of them
were different ones.
"""

import asyncio
import sys
from typing import cast

import uvloop

from gridtally.local_stack.process import LOOPBACK

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_ID, _LENGTH = b"webhook-id: ", b"content-length: "


class _Receiver(asyncio.Protocol):
    """One connection, which stays open."""

    def __init__(self, ids: list[bytes]) -> None:
        self._ids = ids
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            length = int(_value(head.lower(), _LENGTH))
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._ids.append(_value(head.lower(), _ID))
            self._transport.write(_ANSWER)


def _value(head: bytes, name: bytes) -> bytes:
    return head.partition(name)[2].partition(b"\r\n")[0]


async def main() -> None:
    """Receive until the input ends."""
    ids: list[bytes] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Receiver(ids), LOOPBACK, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    sys.stdout.write(f"{len(ids)} {len(set(ids))}\n")


if __name__ == "__main__":
    uvloop.run(main())
