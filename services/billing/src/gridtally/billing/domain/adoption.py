"""Adopted invoices: those that had been issued before the database was restored.

What was issued stands. When its period comes again, it is rated for its evidence and its state
alone; only what a period lacks is made anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from gridtally.billing.domain.invoices import Invoice, repeats
from gridtally.billing.domain.periods import BilledPeriod, HeldPeriod, PeriodKey


@dataclass(frozen=True, slots=True, order=True)
class AdoptedInvoice:
    """An invoice that was issued for a period before, in the order of issue."""

    revision: int
    restatement: int
    invoice_id: UUID


Adopted = Mapping[PeriodKey, Sequence[AdoptedInvoice]]
"""The adopted invoices of periods that have not come again yet, in their order."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The results of billing as what was issued before has it: `again` are the periods whose
    invoices were issued before, by key. `repeated` are those of them as they were issued before
    that, with the same lines: a section that stayed when another one of its invoice was corrected.
    """

    results: Sequence[BilledPeriod | HeldPeriod]
    again: Mapping[PeriodKey, BilledPeriod]
    repeated: Sequence[BilledPeriod] = ()


# A revision was restated as often as the periods before it were corrected. These come again in the
# same order, and so each bill is one of those that were issued, the next in line; where two
# corrections come at once, one is left out. A bill that is none of them rests on what changed
# later: then the last invoice stands, since it was the last that was said. A restatement that
# repeats the lines of the one before it is only issued where another section of a collective
# invoice was corrected; the period came once for all of those.
def settle_adopted(
    results: Sequence[BilledPeriod | HeldPeriod],
    adopted: Adopted,
    invoices: Mapping[tuple[str, UUID], Invoice],
    live: Mapping[PeriodKey, Invoice],
) -> Settled:
    """The results of billing, each on the adopted invoice that it is the bill of.

    `invoices` are the adopted ones by tenant and id, `live` those that periods have by now. A
    revision that has no invoice, though a newer one does, is held until that comes.
    """
    settled: list[BilledPeriod | HeldPeriod] = []
    again: dict[PeriodKey, BilledPeriod] = {}
    repeated: list[BilledPeriod] = []
    for result in results:
        key, revision = result.closed.key, result.closed.revision
        waiting = adopted.get(key, ())
        of_revision = [invoice for invoice in waiting if invoice.revision == revision]
        if of_revision and isinstance(result, BilledPeriod):
            same = [a for a in of_revision if _is_bill_of(result, invoices[key[0], a.invoice_id])]
            if not same and repeats(result, live.get(key)):
                settled.append(result)
                continue
            chosen = same[0] if same else of_revision[-1]
            for following in same[1:]:
                if following.restatement == chosen.restatement + 1:
                    repeated.append(replace(result, restatement=chosen.restatement))
                    chosen = following
            again[key] = replace(result, restatement=chosen.restatement)
            settled.append(again[key])
        elif not of_revision and waiting and waiting[-1].revision > revision:
            newer = f"an invoice of revision {waiting[-1].revision} was issued before the restore"
            settled.append(HeldPeriod(result.closed, "newer_revision_issued", newer))
        else:
            settled.append(result)
    return Settled(settled, again, repeated)


def _is_bill_of(billed: BilledPeriod, invoice: Invoice) -> bool:
    return tuple(invoice.lines) == tuple(billed.bill.lines)


def superseded(
    billed_periods: Mapping[PeriodKey, BilledPeriod], adopted: Adopted
) -> list[tuple[BilledPeriod, UUID]]:
    """The adopted invoices whose place the periods' invoices take."""
    return [
        (billed_periods[key], invoice.invoice_id)
        for key, invoices in adopted.items()
        if key in billed_periods
        for invoice in invoices
        if _order(invoice) < _order(billed_periods[key])
    ]


def _order(document: AdoptedInvoice | BilledPeriod) -> tuple[int, int]:
    revision = document.closed.revision if isinstance(document, BilledPeriod) else document.revision
    return revision, document.restatement
