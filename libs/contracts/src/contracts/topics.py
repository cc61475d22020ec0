"""The topics: one event type each, their partitions, and which of them keep only the newest.

Owns the one list that the broker is set up from and the AsyncAPI document is generated from, and
the form of dead letters, of which every service has a topic.
"""

from dataclasses import dataclass

from contracts.accounts import AccountChanged, PaymentReceived, PaymentRecorded
from contracts.catalogue import CalendarPublished, PricesPublished
from contracts.commerce import (
    AgreementChanged,
    CostRolledUp,
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceVoided,
    TariffPublished,
)
from contracts.metering import (
    MeterRegistered,
    PeriodClosed,
    PropertyChanged,
    ReadingRecorded,
    ReadingsReceived,
    ReadingsRejected,
    UsageRecorded,
)
from contracts.model import Event, WireModel

PARTITIONS_DEFAULT = 8


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, the event it carries, and the service that emits it.

    Each message of a `logged` one has a line in the logs of the services that send and handle it;
    of the others there are too many, or they are copies of facts.
    """

    event: type[Event]
    emitted_by: str
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
        Topic(ReadingsReceived, "gateway"),
        Topic(ReadingsRejected, "ingest", logged=True),
        Topic(UsageRecorded, "ingest"),
        Topic(PeriodClosed, "ingest", logged=True),
        Topic(MeterRegistered, "ledger", compacted=True),
        Topic(PropertyChanged, "ledger", compacted=True),
        Topic(ReadingRecorded, "ledger"),
        Topic(TariffPublished, "tariff", compacted=True),
        Topic(CalendarPublished, "tariff", compacted=True),
        Topic(PricesPublished, "tariff", compacted=True),
        Topic(AgreementChanged, "billing", compacted=True),
        Topic(InvoiceIssued, "billing", logged=True),
        Topic(InvoiceVoided, "billing", logged=True),
        Topic(CreditNoteIssued, "billing", logged=True),
        Topic(CostRolledUp, "billing"),
        Topic(PaymentReceived, "bank", logged=True),
        Topic(PaymentRecorded, "ledger", logged=True),
        Topic(AccountChanged, "ledger", compacted=True),
    )
}


OUTSIDE = {"gateway", "bank"}
"""Who else speaks: gateways publish readings, banks and cash desks payments."""
SERVICES = sorted({topic.emitted_by for topic in TOPICS.values()} - OUTSIDE)


class DeadLetter(WireModel):
    """A message that can never be understood, as a consumer found it, and why.

    `place` is its topic, partition and offset; `headers` and `value` are shown as text, of long
    ones the beginning: the consumer's table of dead letters has them whole.
    """

    consumer: str
    place: str
    reason: str
    headers: list[tuple[str, str]]
    value: str


def dead_letter_topic(service: str) -> str:
    """Where a service's consumers put what they can never understand."""
    return f"{service}.dead_letters.v1"
