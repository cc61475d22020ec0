"""The main job from end to end: register, publish a month, follow the invoices, correct, verify.

Owns the sequence and its measurements; it meets Gridtally over HTTP and Kafka only.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from gridtally.cli.api import Api, Json
from gridtally.cli.errors import CommandError
from gridtally.cli.installation import Installation
from gridtally.cli.reconciliation import Finding, reconcile_until_stable
from gridtally.cli.simulation import SimulationOutcome, simulate
from gridtally.contracts.commerce import CreditNoteIssued, InvoiceIssued
from gridtally.local_stack.demo.gateway import (
    Sent,
    Site,
    late_corrections,
    month_of_blocks,
    publish,
)
from gridtally.local_stack.demo.portfolio import PERIOD, homes
from gridtally.local_stack.demo.register import neighbourhood_id, publish_tariffs, register_homes
from gridtally.messaging import Publisher, follow

PATIENCE_S = 120.0
CORRECTED_HOMES = 5
NET_METERING = {
    "type": "SIMPLE_NET",
    "currency": "EUR",
    "retail_price_per_kwh": "0.32",
    "fixed_charge_tariff_rate_per_kw": "1.20",
    "tax_rate_on_energy_charges": "0.19",
    "credit_policy": "offset_fixed",
}
"""What the demo simulates at its end."""


class Steps(Protocol):
    """Shows a step's progress to people; `advance` takes how many more are done."""

    def step(self, title: str, total: int) -> Callable[[int], None]:
        """Begin a step."""


@dataclass(slots=True)
class Subscriber:
    """What a downstream subscriber has seen, and when the last of it came (monotonic seconds)."""

    agreements: set[UUID]
    invoices: list[InvoiceIssued] = field(default_factory=list)
    credit_notes: list[CreditNoteIssued] = field(default_factory=list)
    advance: Callable[[int], None] = lambda _: None
    last_s: float = 0.0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, bootstrap: str) -> None:
        """Follow invoices and credit notes of this portfolio, for ever."""
        async for batch in follow(bootstrap, InvoiceIssued, CreditNoteIssued):
            for message in batch:
                event = message.event
                if event is None or event.agreement_id not in self.agreements:
                    continue
                if isinstance(event, InvoiceIssued):
                    self.invoices.append(event)
                else:
                    self.credit_notes.append(event)
                self.last_s = time.monotonic()
                self.advance(1)
                self.came.set()

    async def until(self, invoices: int, credit_notes: int) -> None:
        """Wait for so many; CommandError when they do not come."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(self.invoices) < invoices or len(self.credit_notes) < credit_notes:
                    self.came.clear()
                    await self.came.wait()
        except TimeoutError:
            raise CommandError(
                f"only {len(self.invoices)} of {invoices} invoices and {len(self.credit_notes)} "
                f"of {credit_notes} credit notes came within {PATIENCE_S:.0f} s"
            ) from None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened: counts, seconds and the documents to show."""

    homes: int
    sent: Sent
    registered_s: float
    published_s: float
    invoiced_after_s: float
    corrected_after_s: float
    posted_after_s: float
    invoices: list[InvoiceIssued]
    credit_notes: list[CreditNoteIssued]
    trial_balance: Json
    findings: list[Finding]
    simulation: SimulationOutcome


async def run(installation: Installation, steps: Steps, *, count: int, run_name: str) -> Outcome:
    """The whole story once; CommandError when a part of it does not happen in time."""
    if installation.bootstrap is None:
        raise CommandError("set KAFKA_BOOTSTRAP_SERVERS to the broker's address")
    portfolio = homes(count, run=run_name)
    subscriber = Subscriber({home.agreement_id for home in portfolio})
    sent = Sent()
    async with (
        installation.as_tenant() as api,
        Publisher(installation.bootstrap, client_id="demo", idempotent=False) as publisher,
        _listening(subscriber, installation.bootstrap),
    ):
        with _seconds() as registered:
            tariffs = await publish_tariffs(api, run_name)
            advance = steps.step("register homes over HTTP", count)
            sites = await register_homes(api, portfolio, tariffs, advance)
        messages = [*month_of_blocks(sites, sent)]
        sent.readings = _readings(sites)
        with _seconds() as published:
            advance = steps.step("publish a month of readings to Kafka", len(messages))
            await publish(iter(messages), publisher, sent, advance)
        published_s = time.monotonic()
        subscriber.advance = steps.step("follow the invoices", count)
        await subscriber.until(invoices=count, credit_notes=0)
        invoiced_s = subscriber.last_s
        corrected = sites[:: max(1, count // CORRECTED_HOMES)][:CORRECTED_HOMES]
        subscriber.advance = steps.step("correct closed periods", 2 * len(corrected))
        await publish(late_corrections(corrected, sent), publisher, sent, lambda _: None)
        corrected_s = time.monotonic()
        await subscriber.until(invoices=count + len(corrected), credit_notes=len(corrected))
        findings = await reconcile_until_stable(api, patience_s=PATIENCE_S)
        advance = steps.step("simulate net metering for all homes", count)
        simulation = await _simulated(api, run_name, advance)
        return Outcome(
            homes=count,
            sent=sent,
            registered_s=registered[0],
            published_s=published[0],
            invoiced_after_s=max(0.0, invoiced_s - published_s),
            corrected_after_s=subscriber.last_s - corrected_s,
            posted_after_s=time.monotonic() - subscriber.last_s,
            invoices=subscriber.invoices,
            credit_notes=subscriber.credit_notes,
            trial_balance=await api.get("ledger", "/v1/trial-balance"),
            findings=findings,
            simulation=simulation,
        )


async def _simulated(api: Api, run_name: str, advance: Callable[[int], None]) -> SimulationOutcome:
    """What all homes would pay for the month if exported energy paid for imported energy."""
    done = 0

    def advance_to(houses_done: int, _: int) -> None:
        nonlocal done
        advance(houses_done - done)
        done = houses_done

    run = {
        "name": f"Net metering for {run_name}",
        "billing_cycle_year": PERIOD.start_on.year,
        "billing_cycle_month": PERIOD.start_on.month,
        "topology_root_node_id": str(neighbourhood_id(run_name)),
        "policy": NET_METERING,
    }
    return await simulate(api, run, advance_to, patience_s=PATIENCE_S)


def _readings(sites: list[Site]) -> int:
    """How many intervals the portfolio meters in the period."""
    return sum(
        PERIOD.slots(site.home.plan.location.zone, 15) * len(site.home.flows) for site in sites
    )


@asynccontextmanager
async def _listening(subscriber: Subscriber, bootstrap: str) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        listener = group.create_task(subscriber.listen(bootstrap))
        yield
        listener.cancel()


@contextmanager
def _seconds() -> Any:
    """A list that holds, after the block, how long it took."""
    taken: list[float] = []
    begun_s = time.monotonic()
    yield taken
    taken.append(time.monotonic() - begun_s)
