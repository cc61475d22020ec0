"""A connection that is used after its other side has gone, on the event loop of the services."""

import asyncio
import socket

import pytest
import uvloop

from gridtally.database.transactions import is_transient
from gridtally.messaging.failures import is_passing


async def write_after_the_end():
    """What a driver does that has not heard yet that its server is gone."""
    ours, theirs = socket.socketpair()
    with theirs:
        _, writer = await asyncio.open_connection(sock=ours)
        writer.transport.abort()
        await asyncio.sleep(0.01)
        writer.write(b"SELECT 1")


def test_the_same_call_may_succeed_later():
    with pytest.raises(RuntimeError) as met:
        uvloop.run(write_after_the_end())
    assert is_transient(met.value)
    assert is_passing(met.value)


def test_another_error_of_the_running_program_is_a_defect():
    defect = RuntimeError("Event loop is closed")
    assert not is_transient(defect)
    assert not is_passing(defect)
