"""What a tenant does while faults strike: register homes, send readings, correct them.

Owns the gateway's memory of what was acknowledged; a block without an answer is sent again, with
the same event id, until there is one. Values are random by seed, so that no two are alike.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from faults.checker import Agreement, Block, Expected
from gridtally.cli.api import Api
from gridtally.cli.errors import CommandError
from gridtally.contracts.metering import ReadingsReceived
from gridtally.kernel.errors import Transient
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import midnight_utc, slots_in_day
from gridtally.local_stack.demo.gateway import Site
from gridtally.local_stack.demo.portfolio import PERIOD, homes
from gridtally.local_stack.demo.portfolio import Plan as Tariff
from gridtally.local_stack.demo.register import publish_tariffs, register_homes
from gridtally.messaging import OutgoingMessage, Publisher

T = TypeVar("T")
MINUTES = 15
INTERVAL_WH_MAX = 2_500
ANSWER_LIMIT_S = 300.0
PAUSE_S = 0.2
LATE_SHARE = 0.05
TWICE_SHARE = 0.05
WRONG_SHARE = 0.04
MONTH_SPAN = 0.3
"""The share of the whole stream that it takes until a home's month is complete."""


Plan = list[tuple[float, Block]]
"""Blocks with the share of the stream after which each is sent."""


@dataclass
class Workload:
    """One tenant's homes, and all that its gateways have an acknowledgement for.

    Readings of every fourth home go through ingest's API, the others straight to Kafka.
    """

    tenant_id: str
    api: Api
    publisher: Publisher
    registered: list[Site] = field(default_factory=list)
    acknowledged: list[Block] = field(default_factory=list)
    _tariffs: dict[Tariff, UUID] = field(default_factory=dict)
    _over_http: set[UUID] = field(default_factory=set)

    @property
    def expected(self) -> Expected:
        """What the checker must find."""
        return Expected(
            self.tenant_id,
            self.acknowledged,
            [
                Agreement(
                    site.home.agreement_id,
                    site.meter_id,
                    PERIOD.start_on,
                    PERIOD.end_on,
                    site.home.plan.location.zone,
                )
                for site in self.registered
            ],
        )

    async def publish_tariffs(self) -> None:
        """The portfolio's three, before anything else."""
        self._tariffs = await publish_tariffs(self.api, self.tenant_id)

    def sites(self, count: int) -> list[Site]:
        """The first homes of the tenant, with the meters that they will have."""
        sites = [
            Site(home, derive_id("meter", self.tenant_id, home.property_id, "total"))
            for home in homes(count, run=self.tenant_id)
        ]
        self._over_http |= {site.meter_id for site in sites if site.home.number % 4 == 3}
        return sites

    async def register(self, sites: Sequence[Site]) -> None:
        """Register these homes; asked again, with the same ids, until all is well."""
        part = [site.home for site in sites]
        found = await _persistently(
            lambda: register_homes(self.api, part, self._tariffs, lambda _: None), CommandError
        )
        assert found == list(sites)
        self.registered += found

    async def send(self, blocks: Sequence[Block]) -> None:
        """Send until each block has its acknowledgement."""
        http = [block for block in blocks if block.meter_id in self._over_http]
        if http:
            body = {"items": [_item(block) for block in http]}
            answer = await _persistently(
                lambda: self.api.post("ingest", "/v1/readings", body), CommandError
            )
            assert answer["refused"] == 0, answer
        rest = [
            outgoing(self.tenant_id, block)
            for block in blocks
            if block.meter_id not in self._over_http
        ]
        await _persistently(lambda: self.publisher.publish(rest), Transient)
        self.acknowledged += blocks

    async def stream(self, plan: Plan, progress: Callable[[], float]) -> None:
        """Send what has come due by `progress`, which goes from 0 to 1."""
        waiting = deque(sorted(plan, key=lambda planned: planned[0]))
        while waiting:
            now, due = progress(), []
            while waiting and waiting[0][0] <= now:
                due.append(waiting.popleft()[1])
            if due:
                await self.send(due)
            await asyncio.sleep(PAUSE_S)


async def _persistently(call: Callable[[], Awaitable[T]], passing: type[Exception]) -> T:
    """Call until it succeeds; what is `passing` is raised only after `ANSWER_LIMIT_S`."""
    deadline_s = time.monotonic() + ANSWER_LIMIT_S
    while True:
        try:
            return await call()
        except passing:
            if time.monotonic() > deadline_s:
                raise
        await asyncio.sleep(PAUSE_S)


def _item(block: Block) -> dict[str, object]:
    """The block as ingest's API takes it."""
    return {
        "event_id": str(block.event_id),
        "meter_id": str(block.meter_id),
        "flow": block.flow,
        "start_at": block.start_at.isoformat(),
        "minutes": block.minutes,
        "values": block.values,
        "read_at": block.read_at.isoformat(),
    }


def outgoing(tenant_id: str, block: Block) -> OutgoingMessage:
    """The block as the gateway publishes it."""
    event = ReadingsReceived(
        meter_id=block.meter_id,
        flow=block.flow,
        start_at=block.start_at,
        minutes=block.minutes,
        values=list(block.values),
        source="fault-gateway",
        read_at=block.read_at,
    )
    return OutgoingMessage.of(
        event,
        tenant_id=tenant_id,
        correlation_id=str(block.event_id),
        source="fault-gateway",
        event_id=block.event_id,
        occurred_at=block.read_at,
    )


def days_of(site: Site, chance: random.Random) -> list[Block]:
    """A home's month, one block for each local day and flow."""
    zone = site.home.plan.location.zone
    return [
        Block(
            event_id=UUID(int=chance.getrandbits(128), version=4),
            meter_id=site.meter_id,
            flow=flow,
            start_at=midnight_utc(zone, day),
            minutes=MINUTES,
            values=tuple(
                chance.randint(0, INTERVAL_WH_MAX) for _ in range(slots_in_day(zone, day, MINUTES))
            ),
            read_at=midnight_utc(zone, day) + timedelta(days=1),
        )
        for day in PERIOD.dates()
        for flow in site.home.flows
    ]


def correction(block: Block, slot: int) -> Block:
    """One interval of a block was read wrong; the later reading counts."""
    return replace(
        block,
        event_id=uuid4(),
        start_at=block.start_at + timedelta(minutes=block.minutes * slot),
        values=(INTERVAL_WH_MAX + 1 + block.values[slot],),
        read_at=block.read_at + timedelta(days=10),
    )


def irregular_month(site: Site, chance: random.Random) -> Plan:
    """A home's month, begun at some moment: days late, twice, or corrected afterwards."""
    begin = chance.uniform(0, 1 - MONTH_SPAN)
    blocks = days_of(site, chance)
    plan: Plan = []
    for index, block in enumerate(blocks):
        due = begin + MONTH_SPAN * index / len(blocks)
        later = min(1.0, due + chance.uniform(0.02, MONTH_SPAN))
        draw = chance.random()
        plan.append((later if draw < LATE_SHARE else due, block))
        if LATE_SHARE <= draw < LATE_SHARE + TWICE_SHARE:
            plan.append((later, block))
        elif LATE_SHARE + TWICE_SHARE <= draw < LATE_SHARE + TWICE_SHARE + WRONG_SHARE:
            plan.append((later, correction(block, chance.randrange(len(block.values)))))
    return plan
