"""What a service is made of, as its `app` module states it for `gridtally.service.process`.

    def build(process: Process[Settings]) -> Parts:
        return Parts(ROUTERS, subscriptions(process), loops(process))

    SERVICE = Service("billing", __package__, Settings, build)

`build` is the composition root: it opens nothing, it only puts the parts together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Generic, TypeVar

from fastapi import APIRouter

from gridtally.database import Database
from gridtally.http.openapi import NOT_DESCRIBED, ApiDescription
from gridtally.kernel.periods import Clock
from gridtally.messaging import Adoption, Progress, Publisher, Subscription
from gridtally.service.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)
S_co = TypeVar("S_co", bound=ServiceSettings, covariant=True)


@dataclass(frozen=True, slots=True)
class Process(Generic[S_co]):
    """What all parts and tasks of one process share; whoever runs the process owns and closes it.

    `stop` is set once, when the process is asked to end. `clock` is the only one there is.
    """

    service: str
    settings: S_co
    database: Database
    publisher: Publisher
    clock: Clock
    stop: asyncio.Event


@dataclass(frozen=True, slots=True)
class Loop:
    """Background work of a service's own, which the process runs as one task.

    `run` returns soon after the event is set, with what it has begun finished, and is never
    cancelled: a loop that does not heed the event is cut with the process, after
    `SHUTDOWN_TIMEOUT_S`. It must not block the event loop, and reports its lag and what it has done
    in the Progress, which the process reads. An error that it raises ends the process.
    """

    name: str
    run: Callable[[Progress, asyncio.Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the processes of a service run.

    `api_loops` run wherever requests are answered, so they wait for no broker.
    `state` is what the routers' own dependencies find at `request.app.state`, by name; `api` is
    what the OpenAPI document says beside them. `adoptions` are the service's own topics, in the
    order in which what they say is taken over into a restored database; writes to `open_paths` need
    not wait for that.
    """

    routers: Sequence[APIRouter]
    subscriptions: Sequence[Subscription] = ()
    loops: Sequence[Loop] = ()
    api_loops: Sequence[Loop] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    api: ApiDescription = NOT_DESCRIBED
    adoptions: Sequence[Adoption] = ()
    open_paths: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Service(Generic[S]):
    """A service; `name` is its role in the database and its name towards Kafka, `package` where its
    code and its migrations are."""

    name: str
    package: str
    settings_class: type[S]
    build: Callable[[Process[S]], Parts]

    @property
    def version(self) -> str:
        """The installed package's version."""
        return version(f"gridtally-{self.name}")
