"""Which events billing consumes, how many of each at once, and which of its own it adopts."""

from collections.abc import Sequence
from typing import Any

from gridtally.billing.handlers import (
    adoption,
    budget_plans,
    daily_costs,
    periods,
    prepayments,
    reference_data,
    seller,
    sites,
    webhooks,
)
from gridtally.billing.settings import Settings
from gridtally.contracts.accounts import AccountChanged, PaymentRecorded
from gridtally.contracts.alerts import AlertCleared, AlertRaised
from gridtally.contracts.budget_plans import BudgetPlanChanged
from gridtally.contracts.catalogue import PricesPublished, RegionChanged
from gridtally.contracts.commerce import (
    AgreementChanged,
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
    InvoiceVoided,
    TariffPublished,
)
from gridtally.contracts.metering import (
    MeterDefined,
    MeterRegistered,
    PeriodClosed,
    PropertyChanged,
    ReadingsRejected,
    UsageRecorded,
)
from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.contracts.registry import TenantDefaultsChanged
from gridtally.contracts.sellers import SellerChanged
from gridtally.database import WriteConnection
from gridtally.messaging import Adoption, ReceivedMessage, Subscription
from gridtally.service.service import Process

PERIODS_BATCH_MAX = 250
"""Some 8 MB of month series; half a second of work, so that the process stays responsive."""
DAYS_BATCH_MAX = 500
"""Periods and days take turns, a batch each: with 2 000 days a turn, ten thousand invoices waited
105 s behind a month of costs, with 500 they wait 39 s."""

Messages = Sequence[ReceivedMessage[Any]]


def subscriptions(process: Process[Settings]) -> list[Subscription]:
    """One consumer each."""
    clock = process.clock

    async def bill_closed_periods(tx: WriteConnection, messages: Messages) -> None:
        await periods.bill_closed_periods(tx, messages, clock())

    async def apply_usage(tx: WriteConnection, messages: Messages) -> None:
        await daily_costs.apply_usage(tx, messages, clock())

    async def apply_balances(tx: WriteConnection, messages: Messages) -> None:
        await reference_data.apply_balances(tx, messages)
        await prepayments.look_at_balances(tx, messages, clock())
        await webhooks.queue_messages(tx, messages)

    return [
        Subscription(PeriodClosed, bill_closed_periods, batch_messages_max=PERIODS_BATCH_MAX),
        Subscription(UsageRecorded, apply_usage, batch_messages_max=DAYS_BATCH_MAX),
        Subscription(TariffPublished, reference_data.apply_tariffs),
        Subscription(MeterRegistered, reference_data.apply_meters),
        Subscription(PropertyChanged, sites.apply_sites),
        Subscription(RegionChanged, sites.apply_regions),
        Subscription(MeterDefined, sites.apply_definitions),
        Subscription(PricesPublished, reference_data.apply_prices),
        Subscription(AccountChanged, apply_balances),
        Subscription(BudgetPlanChanged, budget_plans.apply_plans),
        Subscription(TenantDefaultsChanged, reference_data.apply_defaults),
        Subscription(AgreementChanged, reference_data.apply_agreements),
        # Those that are only posted to endpoints, as they came: nobody here reads what they say.
        Subscription(InvoiceIssued, webhooks.queue_messages, read=bytes),
        Subscription(InvoiceVoided, webhooks.queue_messages, read=bytes),
        Subscription(CreditNoteIssued, webhooks.queue_messages, read=bytes),
        Subscription(PaymentRecorded, webhooks.queue_messages, read=bytes),
        Subscription(ReadingsRejected, webhooks.queue_messages, read=bytes),
        Subscription(AlertRaised, webhooks.queue_messages, read=bytes),
        Subscription(AlertCleared, webhooks.queue_messages, read=bytes),
        Subscription(PrepaymentChanged, webhooks.queue_messages, read=bytes),
    ]


def adoptions() -> list[Adoption]:
    """Billing's own topics, in the order in which one rests on another."""
    return [
        Adoption(SellerChanged, seller.adopt_published_sellers),
        Adoption(CustomerChanged, adoption.adopt_published_customers),
        Adoption(AgreementChanged, adoption.adopt_published_agreements),
        Adoption(PrepaymentChanged, prepayments.adopt_prepayments),
        Adoption(InvoiceIssued, adoption.adopt_published_invoices),
        Adoption(CreditNoteIssued, adoption.adopt_published_credit_notes),
    ]
