"""The main job once: a month of 200 homes, its bills, and corrections after the close.

Owns the sequence, and what is remembered of it for the tests to look at.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from e2e.deliveries import Echo, as_sent
from e2e.installation import Running
from e2e.tables import dump
from faults.polling import until, until_nothing
from faults.state import unfinished
from gridtally.cli.api import Api, Json
from gridtally.cli.reconciliation import Finding, reconcile
from gridtally.cli.simulation import simulate
from gridtally.contracts.commerce import CreditNoteIssued, InvoiceIssued
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import ONE_DAY, midnight_utc
from gridtally.local_stack.demo.gateway import (
    Sent,
    Site,
    block,
    late_corrections,
    month_of_blocks,
    publish,
)
from gridtally.local_stack.demo.portfolio import PERIOD, PLANS, Plan, homes, month_of_readings
from gridtally.local_stack.demo.register import (
    neighbourhood_id,
    publish_tariffs,
    register_homes,
)
from gridtally.messaging import OutgoingMessage, Publisher, follow

HOMES = 200
CORRECTED_EVERY = 20
RUN = "e2e"
STEP_LIMIT_S = 300.0

Deliver = Callable[[Sequence[OutgoingMessage]], list[OutgoingMessage]]


@dataclass(frozen=True, slots=True)
class MainJob:
    """What one run of the main job has left behind.

    `completing` is the event that completed each agreement's month. `findings` are those of
    `gridtally verify`, `tables` the canonical dump.
    """

    sites: list[Site]
    corrected: list[Site]
    completing: dict[UUID, UUID]
    invoices: list[InvoiceIssued]
    credit_notes: list[CreditNoteIssued]
    issued: list[Json]
    transactions: list[Json]
    trial_balance: Json
    findings: list[Finding]
    tables: dict[str, list[str]]
    simulated: dict[str, dict[UUID, Json]]
    """By the code of each plan, what every home would pay by it, by the home's property."""


@dataclass
class Subscriber:
    """A downstream system that follows invoices and credit notes."""

    invoices: list[InvoiceIssued] = field(default_factory=list)
    credit_notes: list[CreditNoteIssued] = field(default_factory=list)

    async def listen(self, bootstrap: str) -> None:
        """Remember whatever comes, as often as it comes, for ever."""
        async for batch in follow(bootstrap, InvoiceIssued, CreditNoteIssued):
            for message in batch:
                is_invoice = isinstance(message.event, InvoiceIssued)
                documents = self.invoices if is_invoice else self.credit_notes
                documents.append(message.event)

    def seen_once(self) -> int:
        """How many of the invoices and credit notes have come once only."""
        ids = [invoice.invoice_id for invoice in self.invoices]
        ids += [note.credit_note_id for note in self.credit_notes]
        return list(Counter(ids).values()).count(1)

    async def until(self, *, invoices: int, credit_notes: int) -> None:
        """Wait until so many different ones have come."""

        async def came() -> bool:
            return (
                len({invoice.invoice_id for invoice in self.invoices}) >= invoices
                and len({note.credit_note_id for note in self.credit_notes}) >= credit_notes
            )

        what = f"{invoices} invoices and {credit_notes} credit notes"
        await until(what, came, limit_s=STEP_LIMIT_S)


async def run_main_job(
    running: Running, *, deliver: Deliver = as_sent, echo: bool = False
) -> MainJob:
    """The whole job; every message as `deliver` has it, services' own repeated by an `echo`."""
    bootstrap = running.locations.bootstrap
    subscriber, repeating = Subscriber(), Echo(bootstrap)
    async with (
        running.installation.as_tenant() as api,
        Publisher(bootstrap, client_id="e2e", idempotent=running.idempotence) as publisher,
        _meanwhile(subscriber.listen(bootstrap), *([repeating.run()] if echo else [])),
    ):
        tariffs = await publish_tariffs(api, RUN)
        sites = await register_homes(api, homes(HOMES, run=RUN), tariffs, lambda _: None)
        month, completing = split(sites)
        corrected = sites[::CORRECTED_EVERY]
        sent = Sent()

        async def send(messages: Iterable[OutgoingMessage]) -> None:
            await publish(iter(deliver(list(messages))), publisher, sent, lambda _: None)

        async def unread() -> list[str]:
            return [rest for rest in await unfinished(running.locations) if "readings" in rest]

        async def under_way() -> list[str]:
            repeated = repeating.idle.is_set() and not subscriber.seen_once()
            repeats = [] if repeated or not echo else ["messages to be repeated"]
            breaches = [finding.what for finding in await reconcile(api) if not finding.holds]
            return [*repeats, *breaches, *await unfinished(running.locations)]

        await send(month)
        await until_nothing(unread, limit_s=STEP_LIMIT_S)
        await send(completing.values())
        await subscriber.until(invoices=HOMES, credit_notes=0)
        await send(late_corrections(corrected, sent))
        await subscriber.until(invoices=HOMES + len(corrected), credit_notes=len(corrected))
        await until_nothing(under_way, limit_s=STEP_LIMIT_S)
        return MainJob(
            sites=sites,
            corrected=corrected,
            completing={
                site.home.agreement_id: completing[site.meter_id].envelope.event_id
                for site in sites
            },
            invoices=subscriber.invoices,
            credit_notes=subscriber.credit_notes,
            issued=[invoice async for invoice in api.items("billing", "/v1/invoices")],
            transactions=[entry async for entry in api.items("ledger", "/v1/transactions")],
            trial_balance=await api.get("ledger", "/v1/trial-balance"),
            findings=await reconcile(api),
            tables=await dump(running.locations.databases),
            simulated={plan.code: await simulated(api, plan) for plan in PLANS},
        )


async def simulated(api: Api, plan: Plan) -> dict[UUID, Json]:
    """The house bills of all homes by the version of a plan that invoices are issued by."""
    run = {
        "name": plan.code,
        "billing_cycle_month": PERIOD.start_on.month,
        "billing_cycle_year": PERIOD.start_on.year,
        "topology_root_node_id": str(neighbourhood_id(RUN)),
        "policy": {
            "type": "TARIFF",
            "tariff_version_id": str(derive_id("demo tariff version", RUN, plan.code)),
        },
    }
    outcome = await simulate(api, run, lambda _done, _of: None, patience_s=STEP_LIMIT_S)
    path = f"/v1/simulation-runs/{outcome.run['id']}/house-bills"
    return {UUID(bill["house_node_id"]): bill async for bill in api.items("simulation", path)}


def split(sites: list[Site]) -> tuple[list[OutgoingMessage], dict[UUID, OutgoingMessage]]:
    """The month without each meter's last day of imports, and that day as one message a meter.

    So it is known which reading completes a period, and no correction comes after the close.
    """
    last_day = PERIOD.end_on - ONE_DAY
    begins: dict[str, datetime] = {}
    completing: dict[UUID, OutgoingMessage] = {}
    for site in sites:
        zone = site.home.plan.location.zone
        begin = begins[str(site.meter_id)] = midnight_utc(zone, last_day)
        values = month_of_readings(site.home)["import"][-1]
        read_at = begin + timedelta(days=1, minutes=15)
        completing[site.meter_id] = block(site, "import", begin, values, read_at)
    month = []
    for message in month_of_blocks(sites, Sent()):
        event = json.loads(message.value or b"")
        begin = begins[event["meter_id"]]
        if event["flow"] != "import" or datetime.fromisoformat(event["start_at"]) < begin:
            month.append(message)
    return month, completing


@asynccontextmanager
async def _meanwhile(*tasks: object) -> AsyncIterator[None]:
    """The tasks run during the block; one that fails ends it."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(task) for task in tasks]
        yield
        for task in running:
            task.cancel()
