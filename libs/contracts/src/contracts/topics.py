"""The topics: one event type each, their partitions, and which of them keep only the newest.

Owns the one list that the broker is set up from and the AsyncAPI document is generated from.
"""

from dataclasses import dataclass

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
    ReadingsReceived,
    ReadingsRejected,
    UsageRecorded,
)
from contracts.model import Event

PARTITIONS_DEFAULT = 8


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, the event it carries, and the service that emits it."""

    event: type[Event]
    emitted_by: str
    compacted: bool = False
    partitions: int = PARTITIONS_DEFAULT

    @property
    def name(self) -> str:
        """The topic's name, which is also the event's type."""
        return self.event.TOPIC


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic(ReadingsReceived, "gateway"),
        Topic(ReadingsRejected, "ingest"),
        Topic(UsageRecorded, "ingest"),
        Topic(PeriodClosed, "ingest"),
        Topic(MeterRegistered, "ledger", compacted=True),
        Topic(PropertyChanged, "ledger", compacted=True),
        Topic(TariffPublished, "tariff", compacted=True),
        Topic(AgreementChanged, "billing", compacted=True),
        Topic(InvoiceIssued, "billing"),
        Topic(InvoiceVoided, "billing"),
        Topic(CreditNoteIssued, "billing"),
        Topic(CostRolledUp, "billing"),
    )
}


def dead_letter_topic(consumer: str) -> str:
    """Where a service's consumers put what they can never understand."""
    return f"{consumer}.dead_letters.v1"
