"""What a command asks of an installation, for a tenant, in one call."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from gridtally.cli.api import Api, Json
from gridtally.cli.errors import CommandError
from gridtally.cli.installation import find_installation

T = TypeVar("T")


def asked(data_dir: Path | None, ask: Callable[[Api], Awaitable[T]]) -> T:
    """What `ask` gets of the installation; CommandError where there is none, or no key."""
    installation = find_installation(os.environ, data_dir)

    async def within() -> T:
        async with installation.as_tenant() as api:
            return await ask(api)

    return asyncio.run(within())


def got(data_dir: Path | None, service: str, path: str, **params: str) -> Json:
    """The JSON that is at a path."""
    return asked(data_dir, lambda api: api.get(service, path, **params))


def checked_id(text: str) -> str:
    """The id, which is a part of a path; CommandError where it is none."""
    try:
        return str(UUID(text))
    except ValueError:
        raise CommandError(f"{text!r} is no id") from None
