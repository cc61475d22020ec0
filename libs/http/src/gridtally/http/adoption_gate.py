"""Writes wait while what the service had published is taken over into a restored database.

Owns what a request meets meanwhile: reads are answered, writes are refused with 503 and come again.
"""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress

from fastapi import Request

from gridtally.database import Database
from gridtally.database.adoption_lock import GATE_TTL_S, is_adopting
from gridtally.http.problems import HttpRefusal

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
RETRY_AFTER_S = 2
FIRST_CHECK_LIMIT_S = 3.0
"""So long after its start a process holds writes back until it knows whether it must adopt; a
broker that is away does not hold them longer."""


class AdoptionGate:
    """Asked before each write; one per process, which calls `open` once it has looked first."""

    def __init__(self, database: Database, open_paths: Collection[str] = ()) -> None:
        """`open_paths` are the routes whose writes change nothing that was said."""
        self._database = database
        self._open_paths = frozenset(open_paths)
        self._first_check = asyncio.Event()
        self._first_until_s = time.monotonic() + FIRST_CHECK_LIMIT_S
        self._asked_s = -GATE_TTL_S
        self._is_adopting = False

    def open(self) -> None:
        """The process has looked whether there is something to adopt, or cannot look."""
        self._first_check.set()

    async def check(self, request: Request) -> None:
        """HttpRefusal 503 for a write while the database is adopting; waits for the first look,
        `FIRST_CHECK_LIMIT_S` after the start at most. Transient when the database is away."""
        if request.method in READING_METHODS or request.scope["route"].path in self._open_paths:
            return
        if not self._first_check.is_set():
            await self._await_first_check()
        now_s = time.monotonic()
        if now_s - self._asked_s >= GATE_TTL_S:
            self._is_adopting = await is_adopting(self._database)
            self._asked_s = now_s
        if self._is_adopting:
            raise HttpRefusal(
                503,
                "unavailable",
                "what this service had published is being read, after its database was restored; "
                "try again",
                {"Retry-After": str(RETRY_AFTER_S)},
            )

    async def _await_first_check(self) -> None:
        left_s = self._first_until_s - time.monotonic()
        if left_s > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._first_check.wait(), left_s)
        self._first_check.set()
