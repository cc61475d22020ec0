"""A customer's stored readings are rated by one tariff version, and the result is stored."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from gridtally.billing.domain import calculated_bills as domain
from gridtally.billing.domain.calculated_bills import CalculatedBill, MeterReadings
from gridtally.billing.domain.customers import Customer
from gridtally.billing.domain.fleet_costs.counted import CountedFleet, count_fleet
from gridtally.billing.domain.reference_data import ReferenceData, read_version
from gridtally.billing.handlers.fleet_costs import fetch_device_usage
from gridtally.billing.store import calculated_bills as store
from gridtally.billing.store import customers, fleet_costs
from gridtally.billing.store.fleet_costs import Fleet
from gridtally.billing.store.reference_data import with_prices
from gridtally.database import Database, ReadConnection, WriteConnection, snapshot
from gridtally.kernel.errors import NotFound, Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.exact import add_up
from gridtally.rating.line_documents import line_document
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import Part, TariffVersion
from gridtally.rating.usage import ACTIVE_FLOWS, REACTIVE_FLOWS

METERS_MAX = 200
"""Meters of one calculation: a year of 15 minutes of them are 28 MB."""
CUSTOMERS_CALCULATIONS_MAX = 1_000
"""So many calculations, which stay for ever, a customer may have who stores them alone."""


_FLOWS = (*ACTIVE_FLOWS, *REACTIVE_FLOWS)


@dataclass(frozen=True, slots=True)
class Question:
    """Whose bill, of which local days, and by which version; a `hypothetical` one has the version
    price days on which it is not in force. `by_customer`: the customer asks, not the staff."""

    tenant_id: str
    customer_id: UUID
    period: Period
    version_id: UUID
    hypothetical: bool = False
    by_customer: bool = False


async def calculate(db: Database, question: Question) -> CalculatedBill:
    """The bill, made of what is stored now.

    Opens its own snapshot, which is over before the bill is made in a thread. NotFound where there
    is no such customer or published version; Rejected where the version is not in force on all of
    the days, where there are more than `METERS_MAX` meters, where nobody can say what of a derived
    meter counts, and where rating refuses.
    """
    tenant_id, period = question.tenant_id, question.period
    async with snapshot(db, tenant=tenant_id) as read:
        await require_customer(read, tenant_id, question.customer_id)
        found = await store.fetch_version(read, tenant_id, question.version_id)
        if found is None:
            raise NotFound(
                "tariff_version_unknown",
                f"there is no published tariff version {question.version_id}",
            )
        in_force, document = found
        if not question.hypothetical and not all(
            day in in_force for day in (period.start_on, period.dates()[-1])
        ):
            raise Rejected(
                "version_not_in_force",
                f"the version is in force from {in_force.effective_from} to "
                f"{in_force.effective_to or 'now'}, not on all days from {period.start_on} to "
                f"{period.end_on}",
            )
        version = read_version(question.version_id, document)
        documents = {(tenant_id, question.version_id): document}
        named = ReferenceData({}, {}, {}, {}, documents)
        named = await with_prices(read, named, period.start_on, period.end_on)
        fleet = await fleet_costs.fetch_fleet(read, tenant_id, question.customer_id, period)
        counted = count_fleet(fleet.meters, fleet.catalogue, period)
        _refuse_ambiguous(counted)
        devices = counted.devices
        if len(devices) > METERS_MAX:
            raise Rejected(
                "calculation_too_large",
                f"the customer has {len(devices)} meters, a calculation takes {METERS_MAX}",
            )
        usage = await fetch_device_usage(
            read, tenant_id, devices, fleet.catalogue.network, period, _FLOWS
        )
        ids = [device.meter.id for device in devices]
        connected = await store.fetch_connected_kw(read, tenant_id, ids)
    readings = [
        MeterReadings(
            device.meter.id,
            connected.get(device.meter.id),
            [block for block in usage if block.meter_id == device.meter.id],
            device.assignment,
        )
        for device in devices
    ]
    own = [meter for meter in readings if any(source is not None for _, source in meter.assignment)]
    series = named.prices_for(tenant_id, [Part(period, version)])
    prices = {code: versioned.series for code, versioned in series.items()}
    return await asyncio.to_thread(_calculated, question, version, document, own, prices)


def _refuse_ambiguous(counted: CountedFleet) -> None:
    """Rejected where nobody can say what of a derived meter counts."""
    if counted.not_counted:
        left_out = counted.not_counted[0]
        raise Rejected(
            "sum_ambiguous",
            f"derived meter {left_out.meter.id} adds meters that count already from "
            f"{left_out.days.start_on} on, and subtracts others: give it an agreement, or "
            "define it without those",
        )


def _calculated(
    question: Question,
    version: TariffVersion,
    document: str,
    readings: Sequence[MeterReadings],
    prices: Prices,
) -> CalculatedBill:
    usages = [domain.meter_usage(meter, version, question.period) for meter in readings]
    bills = domain.bills_of(version, usages, prices)
    checksum = domain.checksum_of(document, question.period, usages)
    nothing = version.rounding.round(add_up(()))
    return CalculatedBill(
        id=domain.calculation_id(
            question.tenant_id,
            question.customer_id,
            question.period,
            version.id,
            checksum,
            by_customer=question.by_customer,
        ),
        customer_id=question.customer_id,
        start_on=question.period.start_on,
        end_on=question.period.end_on,
        tariff_version_id=version.id,
        checksum=checksum,
        currency=version.currency,
        net=add_up([nothing, *(bill.net for bill in bills)]),
        tax=add_up([nothing, *(bill.tax for bill in bills)]),
        total=add_up([nothing, *(bill.total for bill in bills)]),
        expected_intervals=sum(own.expected_intervals for own in usages),
        present_intervals=sum(own.present_intervals for own in usages),
        lines=[
            {"meter_id": str(own.meter_id)}
            | orjson.loads(orjson.dumps(line_document(line), default=str))
            for own, bill in zip(usages, bills, strict=True)
            for line in bill.lines
        ],
        by_customer=question.by_customer,
    )


async def require_customer(read: ReadConnection, tenant_id: str, customer_id: UUID) -> Customer:
    """The customer; NotFound where there is none, for whoever asks."""
    known = await customers.fetch_customers(read, tenant_id, [customer_id])
    if customer_id not in known:
        raise NotFound("customer_unknown", f"there is no customer {customer_id}")
    return known[customer_id]


async def resolve_version(db: Database, tenant_id: str, customer_id: UUID, period: Period) -> UUID:
    """The version that prices the customer's meters on the first of the days.

    NotFound where there is no such customer; Rejected where no version does, or several do.
    """
    async with snapshot(db, tenant=tenant_id) as read:
        await require_customer(read, tenant_id, customer_id)
        fleet = await fleet_costs.fetch_fleet(read, tenant_id, customer_id, period)
    versions = versions_of(fleet, period)
    if not versions:
        raise Rejected("tariff_missing", f"no tariff version is in force on {period.start_on}")
    if len(versions) > 1:
        raise Rejected(
            "version_ambiguous",
            f"the customer's meters are on {len(versions)} tariff versions: name tariff_version_id",
        )
    return versions.pop()


def versions_of(fleet: Fleet, period: Period) -> set[UUID]:
    """The versions that price a customer's meters on the first of the days."""
    return {
        source
        for device in count_fleet(fleet.meters, fleet.catalogue, period).devices
        for days, source in device.assignment
        if period.start_on in days and isinstance(source, UUID)
    }


async def store_calculation(
    tx: WriteConnection, tenant_id: str, bill: CalculatedBill, now: datetime
) -> tuple[bool, datetime]:
    """Store a calculation once; whether it is new, and when it was made.

    Rejected where a customer has as many as it may store by itself, since they stay for ever.
    """
    created = await store.insert_calculated_bill(tx, tenant_id, bill, now)
    if created and bill.by_customer:
        count = await store.count_customers_calculations(tx, tenant_id, bill.customer_id)
        if count > CUSTOMERS_CALCULATIONS_MAX:
            raise Rejected(
                "too_many_calculations",
                f"of a customer who stores them {CUSTOMERS_CALCULATIONS_MAX} calculations are kept",
            )
    return created, await store.fetch_calculated_at(tx, tenant_id, bill.id)
