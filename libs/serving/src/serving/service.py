"""What a service is made of, as its `app` module tells it to `serving.process`.

    SERVICE = Service("billing", Settings, build)

`build` is the composition root: it opens nothing, it only puts the parts together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Generic, TypeVar

from fastapi import APIRouter

from database import Database
from messaging import Progress, Publisher, Subscription
from serving.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True, slots=True)
class Loop:
    """Background work of a service's own: runs until the event is set, and tells its progress."""

    name: str
    run: Callable[[Progress, asyncio.Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the processes of a service run."""

    routers: Sequence[APIRouter]
    subscriptions: Sequence[Subscription] = ()
    loops: Sequence[Loop] = ()


@dataclass(frozen=True, slots=True)
class Service(Generic[S]):
    """A service; `name` is its package, its role in the database and its name towards Kafka."""

    name: str
    settings_class: type[S]
    build: Callable[[S, Database, Publisher], Parts]

    @property
    def version(self) -> str:
        """The installed package's version."""
        return version(f"gridtally-{self.name}")
