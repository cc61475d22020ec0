"""Events as billing receives them, and agreements, with figures that a test may set."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

from gridtally.billing.domain.agreements import Agreement
from gridtally.contracts.accounts import AccountChanged, CurrencyBalance
from gridtally.contracts.catalogue import PricesPublished
from gridtally.contracts.commerce import AgreementChanged, TariffPublished
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import (
    Channel,
    MeterRegistered,
    PeriodClosed,
    Series,
    UsageRecorded,
)
from gridtally.kernel.periods import month_of, slots_in_day
from gridtally.messaging import OutgoingMessage, ReceivedMessage
from gridtally.rating.proof.contents import digest_of

NOW = datetime(2025, 5, 2, 10, tzinfo=UTC)
JANUARY, FEBRUARY, MARCH, APRIL = (month_of(date(2025, month, 1)) for month in range(1, 5))
BERLIN = "Europe/Berlin"
FLAT = {
    "currency": "EUR",
    "zone": BERLIN,
    "components": [
        {"kind": "fixed", "id": "base", "rate": "12.50", "per": "month"},
        {"kind": "energy", "id": "energy", "rate": "0.30"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
    ],
}
CAPACITY = {"kind": "capacity", "id": "capacity", "rate": "2", "per": "month"}
FEED_IN = {"kind": "energy", "id": "feed-in", "rate": "-0.08", "flow": "export"}
TIERED = {
    "currency": "EUR",
    "zone": BERLIN,
    "components": [
        {
            "kind": "tiered",
            "id": "energy",
            "tiers": [{"limit": "500", "rate": "0.10"}, {"rate": "0.30"}],
            "limits": {"per": "period", "reset_months": 12},
        }
    ],
}
"""500 kWh a year at 0.10, then 0.30."""
SPOT = {
    "currency": "EUR",
    "zone": BERLIN,
    "components": [{"kind": "spot", "id": "energy", "series": "DE-LU", "markup": "0.02"}],
}


def received(event, tenant, correlation_id="c-1"):
    """An event as a handler gets it."""
    value = event.model_dump_json().encode()
    envelope = Envelope(uuid4(), event.TOPIC, "test", NOW, tenant, correlation_id)
    return ReceivedMessage(event, envelope, event.TOPIC, 0, 0, f"{tenant}:{event.key()}", value)


def outgoing(event, tenant, correlation_id="c-1"):
    """An event as another service sends it."""
    return OutgoingMessage.of(
        event,
        tenant_id=tenant,
        correlation_id=correlation_id,
        source="test",
        event_id=uuid4(),
        occurred_at=NOW,
    )


def closed(agreement, *, period=MARCH, revision=1, wh=100, zone=BERLIN, minutes=15, **changes):
    """A period of constant usage, closed."""
    slots = period.slots(zone, minutes)
    values = changes.pop("values", [wh] * slots)
    flows = changes.pop("flows", ["import"])
    series = [
        Series(flow=flow, minutes=minutes, values=values, quality="A" * slots) for flow in flows
    ]
    fields = {
        "agreement_id": agreement.id,
        "meter_id": agreement.meter_id,
        "zone": zone,
        "start_on": period.start_on,
        "end_on": period.end_on,
        "revision": revision,
        "closed_by": "complete",
        "closed_at": NOW,
        "expected_intervals": slots,
        "present_intervals": slots,
        "series": series,
        "digest": digest_of(series),
    }
    return PeriodClosed(**(fields | changes))


def used(meter_id, day, *, version=1, wh=100, flow="import", zone=BERLIN, minutes=15):
    """A day of constant usage."""
    slots = slots_in_day(zone, day, minutes)
    return UsageRecorded(
        meter_id=meter_id,
        flow=flow,
        day=day,
        zone=zone,
        minutes=minutes,
        version=version,
        values=[wh] * slots,
        quality="A" * slots,
        recorded_at=NOW,
    )


def published(tariff_id, document=FLAT, *, number=1, since=date(2025, 1, 1), until=None, **more):
    """A tariff version."""
    return TariffPublished(
        tariff_id=tariff_id,
        version_id=more.pop("version_id", None) or uuid4(),
        number=number,
        code=more.pop("code", "home"),
        name=more.pop("name", "Home"),
        effective_from=since,
        effective_to=until,
        document=document,
        **more,
    )


def registered(
    meter_id, *, flows=("import",), connected_kw="15", version=1, meter_type="main", **more
):
    """A meter."""
    return MeterRegistered(
        meter_id=meter_id,
        property_id=more.pop("property_id", None) or uuid4(),
        meter_type=meter_type,
        name=more.pop("name", "Meter"),
        zone=BERLIN,
        connected_kw=connected_kw and Decimal(connected_kw),
        channels=[Channel(flow=flow, minutes=15, interval_wh_max=10_000) for flow in flows],
        version=version,
        **more,
    )


def agreement(*, tariff_id, meter_id=None, start_on=date(2025, 1, 1), end_on=None, **calendars):
    """An agreement of a customer yet to be made."""
    return Agreement(
        id=uuid4(),
        customer_id=uuid4(),
        meter_id=meter_id or uuid4(),
        tariff_id=tariff_id,
        start_on=start_on,
        end_on=end_on,
        closing="wait",
        grace_hours=72,
        version=1,
        **calendars,
    )


def agreement_event(agreement):
    """As billing publishes it."""
    fields = asdict(agreement)
    return AgreementChanged(agreement_id=fields.pop("id"), **fields)


def priced(day, price="0.10", *, version=1, minutes=60, code="DE-LU", **more):
    """A day at one price, or at those given."""
    slots = slots_in_day(BERLIN, day, minutes)
    prices = price if isinstance(price, list) else [price] * slots
    return PricesPublished(
        series_id=uuid4(),
        code=code,
        currency=more.get("currency", "EUR"),
        zone=BERLIN,
        day=day,
        minutes=minutes,
        version=version,
        prices=[None if text is None else Decimal(text) for text in prices],
        published_at="2025-04-01T00:00:00Z",
    )


def balance_changed(customer_id, balance, arrears="0", *, currency="EUR", version=1, invoiced=None):
    """What a customer owes in one currency."""
    owed = Decimal(balance)
    return AccountChanged(
        customer_id=customer_id,
        balances=[
            CurrencyBalance(
                currency=currency,
                balance=owed,
                receivable=max(owed, Decimal(0)),
                arrears=Decimal(arrears),
                prepaid=max(-owed, Decimal(0)),
                export_payable=Decimal(0),
                invoiced_total=invoiced and Decimal(invoiced),
            )
        ],
        as_of=NOW,
        version=version,
    )
