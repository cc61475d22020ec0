"""Which events billing consumes, and how many of each at once. The clock enters here."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from billing.handlers import days, facts, periods
from contracts.accounts import AccountChanged
from contracts.catalogue import PricesPublished
from contracts.commerce import AgreementChanged, TariffPublished
from contracts.metering import MeterRegistered, PeriodClosed, UsageRecorded
from database import WriteConnection
from messaging import Received, Subscription

PERIODS_BATCH_MAX = 250
"""Some 8 MB of month series; half a second of work, so that the process stays responsive."""
DAYS_BATCH_MAX = 500
"""Periods and days take turns, a batch each: with 2 000 days a turn, ten thousand invoices waited
105 s behind a month of costs, with 500 they wait 39 s."""


def subscriptions() -> list[Subscription]:
    """One consumer each."""
    return [
        Subscription(PeriodClosed, _bill_closed_periods, batch_messages_max=PERIODS_BATCH_MAX),
        Subscription(UsageRecorded, _roll_up_usage, batch_messages_max=DAYS_BATCH_MAX),
        Subscription(TariffPublished, facts.copy_tariffs),
        Subscription(MeterRegistered, facts.copy_meters),
        Subscription(PricesPublished, facts.copy_prices),
        Subscription(AccountChanged, facts.copy_accounts),
        Subscription(AgreementChanged, facts.take_up_agreements),
    ]


async def _bill_closed_periods(tx: WriteConnection, messages: Sequence[Received[Any]]) -> None:
    await periods.bill_closed_periods(tx, messages, datetime.now(UTC))


async def _roll_up_usage(tx: WriteConnection, messages: Sequence[Received[Any]]) -> None:
    await days.roll_up_usage(tx, messages, datetime.now(UTC))
