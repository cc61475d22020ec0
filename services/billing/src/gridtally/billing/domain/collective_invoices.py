"""Collective invoices: the invoice that sections make, and what replaces it.

Refuses to rate: each section is the bill of its own period, whose taxes are rounded there as its
tariff rounds, and the invoice is the sum of its sections.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeVar
from uuid import UUID

from gridtally.billing.domain.customers import CustomerBalance
from gridtally.billing.domain.invoices import Invoice, Section, SectionChange
from gridtally.billing.domain.periods import BilledPeriod, invoice_id
from gridtally.rating.engine.exact import add_up
from gridtally.rating.engine.lines import DataQuality, WorstQuality
from gridtally.rating.proof.collective import collective_id

SECTIONS_MAX = 200
"""Sections of one invoice; more of a customer are divided over several."""
LINES_MAX = 2_000
"""Lines of one invoice, as its event may have."""
_WORST: tuple[WorstQuality, ...] = ("actual", "estimated", "substituted", "missing")
ZERO = Decimal(0)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class FreshSection:
    """A section that is billed now; `change` None where its invoice takes no other's place."""

    billed: BilledPeriod
    invoice: Invoice
    change: SectionChange | None


@dataclass(frozen=True, slots=True, eq=False)
class StayingSection:
    """A section of the invoice that is replaced, which is on the new one as it was: `invoice` is
    the new one's, with the evidence of `earlier`."""

    earlier: Invoice
    invoice: Invoice
    change: SectionChange | None = None


CollectiveSection = FreshSection | StayingSection


def staying(earlier: Invoice) -> StayingSection:
    """A section as it is issued once more, since another section of its invoice was corrected."""
    key = earlier.tenant_id, earlier.agreement_id, earlier.start_on
    restatement = earlier.restatement + 1
    again = replace(
        earlier,
        id=invoice_id(key, earlier.revision, restatement),
        restatement=restatement,
    )
    return StayingSection(earlier, again)


def change_of(billed: BilledPeriod, live: Invoice | None) -> SectionChange | None:
    """How a period's bill differs from its live section, if it has one."""
    if live is None:
        return None
    return "restatement" if billed.restatement else "revision"


class SectionSize(NamedTuple):
    """What decides which of several invoices a section is on: their order, and its lines."""

    currency: str
    meter_id: UUID
    start_on: date
    agreement_id: UUID
    lines: int


def size_of(section: CollectiveSection) -> SectionSize:
    """The size of a section."""
    own = section.invoice
    return SectionSize(own.currency, own.meter_id, own.start_on, own.agreement_id, len(own.lines))


def divided(sections: Iterable[T], size: Callable[[T], SectionSize]) -> Iterator[list[T]]:
    """The sections by the invoice that they are on, in order: by currency, meter and day."""
    chunk: list[T] = []
    lines = 0
    for section in sorted(sections, key=size):
        own = size(section)
        if chunk and (
            own.currency != size(chunk[0]).currency
            or len(chunk) == SECTIONS_MAX
            or lines + own.lines > LINES_MAX
        ):
            yield chunk
            chunk, lines = [], 0
        chunk.append(section)
        lines += own.lines
    if chunk:
        yield chunk


def compose(
    sections: Sequence[CollectiveSection],
    number: str,
    revision: int,
    balance: CustomerBalance,
    correlation_id: str,
    now: datetime,
) -> tuple[Invoice, list[Invoice]]:
    """The collective invoice of a customer who owes `balance`, without a proof, and its sections,
    which have its number with a suffix."""
    id_ = collective_id(sections[0].invoice.tenant_id, (section.invoice.id for section in sections))
    issued_at = now.astimezone(UTC)
    bills = [
        replace(
            section.invoice,
            number=f"{number}/{position}",
            issued_at=issued_at,
            correlation_id=correlation_id,
            brought_forward=ZERO,
            arrears=ZERO,
            proof_root=None,
            collective_id=id_,
        )
        for position, section in enumerate(sections, start=1)
    ]
    first = bills[0]
    total = add_up(bill.total for bill in bills)
    balance = balance.written_like(total, first.currency)
    invoice = Invoice(
        tenant_id=first.tenant_id,
        id=id_,
        number=number,
        customer_id=first.customer_id,
        agreement_id=first.customer_id,
        meter_id=first.customer_id,
        start_on=min(bill.start_on for bill in bills),
        end_on=max(bill.end_on for bill in bills),
        revision=revision,
        restatement=0,
        currency=first.currency,
        lines=[line for bill in bills for line in bill.lines],
        net=add_up(bill.net for bill in bills),
        tax=add_up(bill.tax for bill in bills),
        total=total,
        issued_at=issued_at,
        correlation_id=correlation_id,
        brought_forward=balance.balance,
        arrears=balance.arrears,
        quality=quality_of_sections([bill.quality for bill in bills]),
        is_collective=True,
        sections=[
            Section(bill.id, len(bill.lines), section.change)
            for bill, section in zip(bills, sections, strict=True)
        ],
    )
    return invoice, bills


def quality_of_sections(qualities: Sequence[DataQuality | None]) -> DataQuality | None:
    """The quality of all sections together; None where that of one is not known."""
    known = [quality for quality in qualities if quality is not None]
    if len(known) < len(qualities):
        return None
    return DataQuality(
        worst=max((quality.worst for quality in known), key=_WORST.index),
        estimated_intervals=sum(quality.estimated_intervals for quality in known),
        substituted_intervals=sum(quality.substituted_intervals for quality in known),
        missing_intervals=sum(quality.missing_intervals for quality in known),
        estimated_kwh=add_up(quality.estimated_kwh for quality in known),
        substituted_kwh=add_up(quality.substituted_kwh for quality in known),
    )


def reason_of_credit(invoice: Invoice, changed: Mapping[UUID, tuple[Invoice, BilledPeriod]]) -> str:
    """Why a collective invoice is credited: which of its sections are replaced by what. `changed`
    are those, by the section's id, each with its period's bill."""
    parts = []
    for position, section in enumerate(invoice.sections, start=1):
        if section.section_id in changed:
            own, billed = changed[section.section_id]
            what = (
                "is restated, since the period before was corrected"
                if billed.restatement
                else f"is replaced by revision {billed.closed.revision} of its period"
            )
            parts.append(f"section {position} (from {own.start_on} to {own.end_on}) {what}")
    return f"{'; '.join(parts)[:400]}; the other sections stay as they were"
