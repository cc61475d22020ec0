"""The topics: one event type each, who emits and receives it, and which keep only the newest.

Owns the one list that the broker is set up from and the AsyncAPI document is generated from, and
the form of dead letters, of which every service has a topic.
"""

from dataclasses import dataclass

from gridtally.contracts.accounts import (
    AccountChanged,
    PaymentPlanChanged,
    PaymentReceived,
    PaymentRecorded,
    SettlementRecorded,
    TransactionRecorded,
)
from gridtally.contracts.alerts import AlertCleared, AlertRaised
from gridtally.contracts.budget_plans import BudgetPlanChanged
from gridtally.contracts.catalogue import CalendarPublished, PricesPublished, RegionChanged
from gridtally.contracts.commerce import (
    AgreementChanged,
    CostRolledUp,
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
    InvoiceVoided,
    TariffPublished,
)
from gridtally.contracts.device_events import DeviceEventReceived
from gridtally.contracts.direct_debits import (
    DirectDebitBatchChanged,
    DirectDebitChanged,
    DirectDebitSettingsChanged,
    MandateChanged,
)
from gridtally.contracts.dunning import (
    DunningNoticeChanged,
    DunningRulesChanged,
    DunningStopChanged,
)
from gridtally.contracts.metering import (
    MeterDefined,
    MeterRegistered,
    PeriodClosed,
    PropertyChanged,
    ReadingRecorded,
    ReadingsReceived,
    ReadingsRejected,
    UsageRecorded,
)
from gridtally.contracts.model import ContractModel, Event
from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.contracts.registry import PaymentTermsChanged, TenantDefaultsChanged, UserChanged
from gridtally.contracts.sellers import SellerChanged
from gridtally.contracts.simulation import SimulationChunkRequested, SimulationCompleted

PARTITIONS_DEFAULT = 8
MESSAGE_BYTES_MAX = 8 * 1024 * 1024
"""The most bytes of one message, on every topic."""
NO_TENANT = "-"
"""Whose dead letters are: a message that nobody understands may name any tenant."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, the event it carries, who emits it and which services receive it.

    Each message of a `logged` one has a line in the logs of the services that send and handle it;
    of the others there are too many, or they are reference data.
    """

    event: type[Event]
    emitted_by: tuple[str, ...]
    received_by: tuple[str, ...] = ()
    compacted: bool = False
    logged: bool = False
    partitions: int = PARTITIONS_DEFAULT

    @property
    def name(self) -> str:
        """The topic's name, which is also the event's type."""
        return self.event.TOPIC


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        # ingest emits the blocks that come to it by HTTP
        Topic(ReadingsReceived, ("gateway", "ingest"), ("ingest",)),
        Topic(DeviceEventReceived, ("gateway", "ingest"), ("ingest",)),
        Topic(ReadingsRejected, ("ingest",), ("billing",), logged=True),
        Topic(UsageRecorded, ("ingest",), ("billing",)),
        Topic(PeriodClosed, ("ingest",), ("billing",), logged=True),
        Topic(AlertRaised, ("ingest",), ("billing",), logged=True),
        Topic(AlertCleared, ("ingest",), ("billing",), logged=True),
        Topic(MeterRegistered, ("ledger",), ("ingest", "billing", "simulation"), compacted=True),
        Topic(MeterDefined, ("ledger",), ("ingest", "billing"), compacted=True),
        Topic(PropertyChanged, ("ledger",), ("billing", "simulation"), compacted=True),
        Topic(UserChanged, ("ledger",), compacted=True),
        Topic(PaymentTermsChanged, ("ledger",), compacted=True),
        Topic(TenantDefaultsChanged, ("ledger",), ("billing",), compacted=True),
        Topic(ReadingRecorded, ("ledger",), ("ingest",)),
        Topic(TariffPublished, ("tariff",), ("billing",), compacted=True),
        Topic(RegionChanged, ("tariff",), ("billing",), compacted=True),
        Topic(CalendarPublished, ("tariff",), compacted=True),
        Topic(PricesPublished, ("tariff",), ("billing",), compacted=True),
        Topic(CustomerChanged, ("billing",), ("ledger",), compacted=True),
        Topic(SellerChanged, ("billing",), ("ledger",), compacted=True),
        Topic(AgreementChanged, ("billing",), ("ingest", "billing", "ledger"), compacted=True),
        Topic(InvoiceIssued, ("billing",), ("ledger", "billing"), logged=True),
        Topic(InvoiceVoided, ("billing",), ("ledger", "billing"), logged=True),
        Topic(CreditNoteIssued, ("billing",), ("ledger", "billing"), logged=True),
        Topic(CostRolledUp, ("billing",)),
        Topic(PrepaymentChanged, ("billing",), ("ledger", "billing"), compacted=True, logged=True),
        Topic(PaymentReceived, ("bank",), ("ledger",), logged=True),
        Topic(PaymentRecorded, ("ledger",), ("billing",), logged=True),
        Topic(TransactionRecorded, ("ledger",), logged=True),
        Topic(SettlementRecorded, ("ledger",), logged=True),
        Topic(PaymentPlanChanged, ("ledger",), compacted=True),
        Topic(BudgetPlanChanged, ("ledger",), ("billing",), compacted=True),
        Topic(DunningRulesChanged, ("ledger",), compacted=True),
        Topic(DunningNoticeChanged, ("ledger",), compacted=True, logged=True),
        Topic(DunningStopChanged, ("ledger",), compacted=True),
        Topic(MandateChanged, ("ledger",), compacted=True),
        Topic(DirectDebitSettingsChanged, ("ledger",), compacted=True),
        Topic(DirectDebitBatchChanged, ("ledger",), compacted=True),
        Topic(DirectDebitChanged, ("ledger",), compacted=True),
        Topic(AccountChanged, ("ledger",), ("billing",), compacted=True),
        Topic(SimulationChunkRequested, ("simulation",), ("simulation",), logged=True),
        Topic(SimulationCompleted, ("simulation",), logged=True),
    )
}


EXTERNAL_PRODUCERS = {
    "gateway": "Gateways and head-end systems, which publish what meters measured.",
    "bank": "Banks and cash desks, which publish the payments that they received.",
}
"""Who emits events besides the services, and what each of them is."""
SERVICES = sorted(
    {name for topic in TOPICS.values() for name in topic.emitted_by} - EXTERNAL_PRODUCERS.keys()
)


class DeadLetter(ContractModel):
    """A message that can never be understood, as a consumer found it, and the reason.

    Of a long header or value it has the beginning; the consumer's table of dead letters has all.
    """

    consumer: str
    """The consumer that could not understand it: its service and the topic."""
    location: str
    """Where it lies: its topic, partition and offset, with slashes between."""
    reason: str
    """Why it cannot be understood, for people."""
    headers: list[tuple[str, str]]
    """The names and contents of its headers, as text."""
    value: str
    """Its value, as text."""


def dead_letter_topic(service: str) -> str:
    """The topic of the messages that a service's consumers can never understand."""
    return f"{service}.dead_letters.v1"
