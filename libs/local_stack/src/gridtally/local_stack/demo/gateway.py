"""The gateway simulator: a month of readings as a real gateway sends them, to Kafka itself.

Most days arrive in order; some late, some twice, some wrong at first and corrected afterwards.
Owns which ones, by seed; after everything has been sent, each interval's newest value is the
home's own.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from gridtally.cli.errors import CommandError
from gridtally.contracts.metering import Flow, ReadingsReceived
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import midnight_utc
from gridtally.local_stack.demo.portfolio import PERIOD, Home, month_of_readings
from gridtally.local_stack.demo.profiles import MINUTES, Energy
from gridtally.messaging import OutgoingMessage, Publisher
from gridtally.messaging.retries import retry_transient

SOURCE = "demo-gateway"
LATE_SHARE = 0.03
TWICE_SHARE = 0.02
WRONG_SHARE = 0.01
BATCH_MESSAGES = 500
CORRECTED_AFTER = timedelta(hours=30)
ACKNOWLEDGED_WITHIN_S = 120.0


@dataclass(slots=True)
class Sent:
    """What went out: messages and readings, and how many of them were irregular."""

    messages: int = 0
    readings: int = 0
    late: int = 0
    twice: int = 0
    corrections: int = 0
    meters: set[UUID] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Site:
    """A registered home and its meter."""

    home: Home
    meter_id: UUID


def block(
    site: Site, flow: Flow, start_at: datetime, values: Iterable[int], read_at: datetime
) -> OutgoingMessage:
    """A message with consecutive values of one meter and flow; the same call, the same id."""
    event = ReadingsReceived(
        meter_id=site.meter_id,
        flow=flow,
        start_at=start_at,
        minutes=MINUTES,
        values=[int(value) for value in values],
        source=SOURCE,
        read_at=read_at,
    )
    event_id = derive_id("demo reading", site.meter_id, flow, start_at, read_at)
    return OutgoingMessage.of(
        event,
        tenant_id="local",
        correlation_id=str(event_id),
        source=SOURCE,
        event_id=event_id,
        occurred_at=read_at,
    )


def month_of_blocks(
    sites: list[Site], sent: Sent, *, irregular: bool = True
) -> Iterator[OutgoingMessage]:
    """Every home's month, day by day as the days pass; then what is late or to be corrected."""
    random = np.random.default_rng(11)
    months = [(site, month_of_readings(site.home)) for site in sites]
    late: list[OutgoingMessage] = []
    for index, day in enumerate(PERIOD.dates()):
        for site, flows in months:
            start_at = midnight_utc(site.home.plan.location.zone, day)
            for flow in site.home.flows:
                first, afterwards = _day(
                    site, flow, start_at, flows[flow][index], random, sent, irregular=irregular
                )
                yield from first
                late.extend(afterwards)
    random.shuffle(late)
    yield from late


def _day(
    site: Site,
    flow: str,
    start_at: datetime,
    values: Energy,
    random: np.random.Generator,
    sent: Sent,
    *,
    irregular: bool,
) -> tuple[list[OutgoingMessage], list[OutgoingMessage]]:
    """One channel-day: what is sent with its day, and what only at the end."""
    read_at = start_at + timedelta(minutes=MINUTES * (values.size + 1))
    right = block(site, flow, start_at, values, read_at)  # type: ignore[arg-type]
    draw = random.random() if irregular else 1.0
    if draw < LATE_SHARE:
        sent.late += 1
        return [], [right]
    if draw < LATE_SHARE + TWICE_SHARE:
        sent.twice += 1
        return [right, right], []
    if draw < LATE_SHARE + TWICE_SHARE + WRONG_SHARE:
        sent.corrections += 1
        slot = int(random.integers(values.size))
        wrong = values.copy()
        wrong[slot] += 500
        slot_at = start_at + timedelta(minutes=MINUTES * slot)
        corrected = [values[slot]]
        return (
            [block(site, flow, start_at, wrong, read_at)],  # type: ignore[arg-type]
            [block(site, flow, slot_at, corrected, read_at + CORRECTED_AFTER)],  # type: ignore[arg-type]
        )
    return [right], []


def late_corrections(sites: list[Site], sent: Sent) -> Iterator[OutgoingMessage]:
    """One interval of each of these homes turns out to be 250 Wh more, after the close."""
    read_at = datetime.combine(PERIOD.end_on, datetime.min.time(), UTC) + timedelta(days=9)
    for site in sites:
        start_at = midnight_utc(site.home.plan.location.zone, PERIOD.start_on)
        value = int(month_of_readings(site.home)["import"][0][0]) + 250
        sent.corrections += 1
        yield block(site, "import", start_at, [value], read_at)


async def publish(
    messages: Iterator[OutgoingMessage],
    publisher: Publisher,
    sent: Sent,
    advance: Callable[[int], None],
) -> None:
    """Send all in batches; a batch counts once the broker has acknowledged it.

    Sends it again while the broker is away; CommandError when that takes too long.
    """
    batch: list[OutgoingMessage] = []

    async def flush() -> None:
        try:
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                await retry_transient(
                    "publish", lambda: publisher.publish(batch), stop=asyncio.Event()
                )
        except TimeoutError:
            raise CommandError(
                f"the broker has acknowledged no readings for {ACKNOWLEDGED_WITHIN_S:.0f} s"
            ) from None
        sent.messages += len(batch)
        advance(len(batch))
        batch.clear()

    for message in messages:
        batch.append(message)
        if len(batch) == BATCH_MESSAGES:
            await flush()
    await flush()
