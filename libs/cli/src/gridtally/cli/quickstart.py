"""From nothing to a first invoice in eight calls, each with what it is for.

The same as the program in docs/quickstart.md.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from gridtally.cli.errors import CommandError
from gridtally.client import Client
from gridtally.client.generated import billing_models as billing
from gridtally.client.generated import ingest_models as ingest
from gridtally.client.generated import ledger_models as ledger
from gridtally.client.generated import tariff_models as tariff

ZONE = "Europe/Berlin"
MONTH = (date(2025, 1, 1), date(2025, 2, 1))
MIDNIGHT = datetime(2024, 12, 31, 23, tzinfo=UTC)
QUARTERS = 31 * 96
LIMIT_S = 60.0
POLL_S = 0.2
CHARGES = tariff.DraftDocument.model_validate(
    {
        "currency": "EUR",
        "zone": ZONE,
        "components": [
            {"kind": "energy", "id": "energy", "rate": "0.30"},
            {"kind": "fixed", "id": "standing", "rate": "5.00", "per": "month"},
            {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy", "standing"]},
        ],
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """One call: what it is for, how a program writes it, and what came of it."""

    purpose: str
    call: str
    outcome: str


def run_quickstart(
    gridtally: Client, monotonic_s: Callable[[], float] = time.monotonic
) -> Iterator[Step]:
    """Make the calls, one for each step that is asked for; the last step is the invoice.

    Every run makes things of its own. CommandError where no invoice comes within `LIMIT_S`.
    """
    tariff_id = yield from _tariff_in_force(gridtally)
    agreement_id = yield from _read_home(gridtally, tariff_id)
    invoice = _first_invoice(gridtally, agreement_id, monotonic_s() + LIMIT_S, monotonic_s)
    yield Step(
        "The period has ended and is complete, so its invoice is made by itself.",
        "billing.list_invoices(agreement_id=…)",
        f"invoice {invoice.number} of {invoice.total} {invoice.currency}",
    )


def _tariff_in_force(gridtally: Client) -> Generator[Step, None, UUID]:
    code = f"quickstart-{uuid4().hex[:8]}"
    new_tariff = tariff.NewTariff(code=code, name="Quickstart", currency="EUR", zone=ZONE)
    offered = gridtally.tariff.create_tariff(new_tariff)
    yield Step(
        "A tariff: a name for what is charged, whose versions follow one another.",
        "tariff.create_tariff(NewTariff(code, name, currency, zone))",
        f"tariff {offered.code}",
    )
    terms = tariff.NewTariffVersion(effective_from=MONTH[0], document=CHARGES)
    draft = gridtally.tariff.draft_tariff_version(offered.id, terms)
    yield Step(
        "Its first version: 0.30 a kWh, 5.00 a month, 19 % tax. A draft, which can still change.",
        "tariff.draft_tariff_version(tariff_id, NewTariffVersion(effective_from, document))",
        f"version {draft.number}",
    )
    gridtally.tariff.publish_tariff_version(offered.id, draft.number)
    yield Step(
        "Published, it is in force from its day on, and never changes again.",
        "tariff.publish_tariff_version(tariff_id, number)",
        f"in force from {MONTH[0]}",
    )
    return offered.id


def _read_home(gridtally: Client, tariff_id: UUID) -> Generator[Step, None, UUID]:
    home = gridtally.ledger.create_property(ledger.NewProperty(name="Home", zone=ZONE))
    meter_id = next(meter.id for meter in home.meters if meter.meter_type == "total")
    yield Step(
        "A home in its time zone. It comes with meters; `total` measures what the grid delivers.",
        "ledger.create_property(NewProperty(name, zone))",
        f"meter {meter_id}",
    )
    new_customer = billing.NewCustomer(name="Ada", currency="EUR")
    customer = gridtally.billing.create_customer(new_customer)
    yield Step(
        "Who pays.",
        "billing.create_customer(NewCustomer(name, currency))",
        f"customer {customer.name}",
    )
    agreement = gridtally.billing.create_agreement(
        billing.NewAgreement(
            customer_id=customer.id,
            meter_id=meter_id,
            tariff_id=tariff_id,
            start_on=MONTH[0],
            end_on=MONTH[1],
        )
    )
    yield Step(
        "The customer's agreement: this meter by this tariff, for January.",
        "billing.create_agreement(NewAgreement(customer_id, meter_id, tariff_id, start_on, …))",
        f"agreement {agreement.id}",
    )
    readings = ingest.NewBlock(
        meter_id=meter_id, flow="import", start_at=MIDNIGHT, minutes=15, values=[100] * QUARTERS
    )
    taken = gridtally.ingest.submit_readings(readings)
    yield Step(
        "January's readings: 100 Wh in each quarter of an hour, from local midnight on.",
        "ingest.submit_readings(NewBlock(meter_id, flow, start_at, minutes, values))",
        f"{taken.accepted} block accepted",
    )
    return agreement.id


def _first_invoice(
    gridtally: Client, agreement_id: UUID, until_s: float, monotonic_s: Callable[[], float]
) -> billing.Invoice:
    while True:
        for invoice in gridtally.billing.list_invoices(agreement_id=agreement_id):
            return invoice
        if monotonic_s() > until_s:
            raise CommandError(
                f"no invoice came in {LIMIT_S:.0f} s; `gridtally status` shows what runs, and "
                "GET /v1/held-invoices what is held"
            )
        time.sleep(POLL_S)
