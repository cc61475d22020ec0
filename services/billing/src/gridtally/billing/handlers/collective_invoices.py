"""Collective invoices are issued once all of their sections are there, and again where one changes.

What waits is held, each period by itself, by whoever billed it (`collective_members`). A loop then
locks all agreements of the customer, so that nobody bills or corrects any of them meanwhile, bills
what waits once more, and issues: in one transaction, so that whatever ends it leaves everything
waiting. Locks are taken in the order of all who bill.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.collective_invoices import (
    CollectiveSection,
    FreshSection,
    StayingSection,
    change_of,
    compose,
    divided,
    reason_of_credit,
    size_of,
    staying,
)
from gridtally.billing.domain.collective_members import (
    LOOKED_AT_AGAIN_AFTER,
    CollectiveKey,
    Member,
    WholeInvoice,
    above_minimum,
    missing_periods,
)
from gridtally.billing.domain.credit_notes import CreditNote, cancel_whole
from gridtally.billing.domain.customers import ZERO, CustomerBalance, Issue
from gridtally.billing.domain.drafts import Draft
from gridtally.billing.domain.invoices import Invoice, issue, series_of
from gridtally.billing.domain.periods import BilledPeriod, ClosedPeriod, HeldPeriod, PeriodKey
from gridtally.billing.events.invoices import credit_note_issued, invoice_issued
from gridtally.billing.events.proofs import collective_root, stored_root, with_root
from gridtally.billing.handlers import periods as period_handlers
from gridtally.billing.handlers.drafts import hold_drafts
from gridtally.billing.handlers.repeated_credits import issue_repeated_on_collective
from gridtally.billing.store import (
    agreements,
    collective_invoices,
    collective_members,
    credit_notes,
    drafts,
    evidence,
    held_periods,
    invoices,
    numbers,
    periods,
    proofs,
    reference_data,
)
from gridtally.database import WriteConnection
from gridtally.kernel.periods import Period
from gridtally.messaging import OutgoingMessage, enqueue
from gridtally.rating.engine.exact import add_up

MEMBERS_MAX = 100
"""Due members that are looked at in one transaction, with all that wait for the same invoices."""
Waiting = Sequence[tuple[Member, ClosedPeriod]]


@dataclass(frozen=True, slots=True, eq=False)
class _Planned:
    """The sections of one new invoice, or of several, and the invoice whose place it takes."""

    sections: Sequence[CollectiveSection]
    replaced: Invoice | None
    changed: Mapping[UUID, tuple[Invoice, BilledPeriod]]


async def issue_collective_invoices(
    tx: WriteConnection, now: datetime, members_max: int = MEMBERS_MAX
) -> int:
    """Issue those collective invoices that are due and whole, or waited long enough; how many
    members were looked at."""
    await reference_data.lock_reference_data_shared(tx)
    keys = await collective_members.fetch_due(tx, now, members_max)
    if not keys:
        return 0
    customers = {key[:2] for key in keys}
    known = await collective_members.fetch_agreements_of(tx, customers)
    await agreements.lock_agreements(
        tx, {(key[0], agreement.id) for key in known for agreement in known[key]}
    )
    looked_at = {*keys, *await collective_members.fetch_carried(tx, customers)}
    waiting = await collective_members.lock_members(tx, looked_at)
    if waiting:
        await _issue_waiting(tx, waiting, known, now)
    await collective_members.delete_stale(tx, looked_at)
    return max(len(waiting), len(keys))


async def _issue_waiting(
    tx: WriteConnection,
    waiting: Waiting,
    known: Mapping[tuple[str, UUID], Sequence[Agreement]],
    now: datetime,
) -> None:
    rated = await period_handlers.rate_periods(tx, [closed for _, closed in waiting])
    await held_periods.upsert_held(tx, rated.held, now)
    drafted, approved = await hold_drafts(tx, rated.unissued, rated.replaced, now)
    billed = {
        own.key: own
        for own in rated.unissued
        if own.key not in drafted and not rated.adopted.get(own.key)
    }
    # What was issued before a restore, or repeats what is live, is settled as other periods are.
    unissued = {own.key for own in rated.unissued}
    await held_periods.mark_due(tx, [own.key for own in rated.billed if own.key not in unissued])
    members = {member.key: member for member, _ in waiting}
    fresh = {key: own for key, own in billed.items() if key not in rated.replaced}
    fresh_members = [(members[key], own) for key, own in fresh.items()]
    issued, below = await _whole(tx, fresh_members, known, now)
    await held_periods.upsert_held(tx, below, now)
    planned = [
        _Planned([_fresh_section(own, None, approved, now) for own in group], None, {})
        for group in issued
    ]
    corrected = [own for key, own in billed.items() if key in rated.replaced]
    planned += await _reissued(tx, corrected, rated.replaced, approved, now)
    await _look_again(tx, [m for m in members.values() if not _is_planned(m, planned)], now)
    if planned:
        await _issue(tx, planned, now)


def _is_planned(member: Member, planned: Sequence[_Planned]) -> bool:
    return any(
        isinstance(section, FreshSection) and section.billed.key == member.key
        for own in planned
        for section in own.sections
    )


async def _whole(
    tx: WriteConnection,
    members: Sequence[tuple[Member, BilledPeriod]],
    known: Mapping[tuple[str, UUID], Sequence[Agreement]],
    now: datetime,
) -> tuple[list[list[BilledPeriod]], list[HeldPeriod]]:
    """Those of these bills that are issued now, by invoice: it lacks no section, or is not to wait
    any longer, and does not come to less than the customer's minimum. And those that do."""
    groups: dict[CollectiveKey, list[tuple[Member, BilledPeriod]]] = {}
    for member, billed in members:
        groups.setdefault(member.collective_key, []).append((member, billed))
    whole: dict[tuple[str, UUID], list[WholeInvoice]] = {}
    for key in sorted(groups):
        own = groups[key]
        first, _ = own[0]
        agreed = known[key[:2]]
        present = {member.key[1:] for member, _ in own}
        days = Period(first.collective_start_on, first.collective_end_on)
        missing = missing_periods(agreed, days, present)
        lacking = {(key[0], agreement_id, period.start_on) for agreement_id, period in missing}
        if lacking and not any(member.forces(now) for member, _ in own):
            lacking -= await collective_members.fetch_invoiced(tx, lacking)
            if lacking:
                continue
        is_last = all(
            agreement.end_on is not None and agreement.end_on <= days.end_on for agreement in agreed
        )
        whole.setdefault(key[:2], []).append(WholeInvoice(own, is_last))
    terms = await collective_members.fetch_terms(tx, whole)
    settled = [above_minimum(invoices, terms[customer]) for customer, invoices in whole.items()]
    return (
        [group for issued, _ in settled for group in issued],
        [held for _, below in settled for held in below],
    )


def _fresh_section(
    billed: BilledPeriod,
    live: Invoice | None,
    approved: Mapping[PeriodKey, Draft],
    now: datetime,
) -> FreshSection:
    invoice = issue(billed, "", CustomerBalance(), now, approved.get(billed.key))
    return FreshSection(billed, invoice, change_of(billed, live))


# An invoice that lost a section's evidence, since it was adopted after a restore and that section's
# period has not come again, waits until it has.
async def _reissued(
    tx: WriteConnection,
    corrected: Sequence[BilledPeriod],
    replaced: Mapping[PeriodKey, Invoice],
    approved: Mapping[PeriodKey, Draft],
    now: datetime,
) -> list[_Planned]:
    """What takes the place of the collective invoices that have these periods' live sections."""
    keys = {(own.key[0], replaced[own.key].document_id) for own in corrected}
    parents = await invoices.fetch_invoices(tx, sorted(keys))
    section_keys = [
        (key[0], section.section_id)
        for key, parent in parents.items()
        for section in parent.sections
    ]
    sections = await invoices.fetch_invoices(tx, section_keys)
    stored = await collective_invoices.fetch_with_evidence(tx, section_keys)
    planned = []
    for key, parent in parents.items():
        changed = {
            replaced[own.key].id: (replaced[own.key], own)
            for own in corrected
            if replaced[own.key].document_id == parent.id
        }
        stays = [
            sections[key[0], section.section_id]
            for section in parent.sections
            if section.section_id not in changed
        ]
        if any((own.tenant_id, own.id) not in stored for own in stays):
            continue
        planned.append(
            _Planned(
                [
                    *(_fresh_section(own, live, approved, now) for live, own in changed.values()),
                    *map(staying, stays),
                ],
                parent,
                changed,
            )
        )
    return planned


async def _look_again(tx: WriteConnection, members: Sequence[Member], now: datetime) -> None:
    """These members wait: until another one comes, or their grace time is over."""
    later = now + LOOKED_AT_AGAIN_AFTER
    await collective_members.update_due(
        tx,
        {
            member.key: min(later, member.grace_ends_at) if now < member.grace_ends_at else later
            for member in members
        },
    )


async def _issue(tx: WriteConnection, planned: Sequence[_Planned], now: datetime) -> None:
    """Credit what is replaced, and issue, store and publish the invoices of these sections."""
    fresh = [
        section.billed
        for own in planned
        for section in own.sections
        if isinstance(section, FreshSection)
    ]
    stays = [
        section
        for own in planned
        for section in own.sections
        if isinstance(section, StayingSection)
    ]
    keys = [billed.key for billed in fresh]
    await held_periods.delete_held(tx, keys)
    await drafts.delete_drafts(tx, keys)
    await periods.update_invoiced(tx, fresh)
    await evidence.insert_evidence(tx, fresh)
    await collective_invoices.carry_over(tx, [(own.earlier, own.invoice) for own in stays])
    notes = await _cancel(tx, planned, now)
    issued = await _numbered(tx, planned, notes, now)
    await collective_invoices.insert_sections(tx, [invoice for invoice, _ in issued])
    documents = [document for invoice, bills in issued for document in (invoice, *bills)]
    await invoices.insert_invoices(tx, documents)
    await invoices.insert_lines(
        tx, {(document.tenant_id, document.id): document.lines for document in documents}
    )
    given_again = await _give_again(tx, planned, issued, now)
    messages = [message for note in notes.values() for message in credit_note_issued(note)]
    messages += [invoice_issued(invoice, bills) for invoice, bills in issued]
    await enqueue(tx, [*messages, *given_again])
    await period_handlers.carry_forward(tx, fresh, now)


async def _give_again(
    tx: WriteConnection,
    planned: Sequence[_Planned],
    issued: Sequence[tuple[Invoice, Sequence[Invoice]]],
    now: datetime,
) -> list[OutgoingMessage]:
    """Give again what was credited by hand on the invoices that are replaced."""
    replaced = {
        section.invoice.id: own.replaced
        for own in planned
        if own.replaced is not None
        for section in own.sections
    }
    corrected = [(invoice, bills) for invoice, bills in issued if bills[0].id in replaced]
    return await issue_repeated_on_collective(
        tx, [(replaced[bills[0].id], invoice, bills) for invoice, bills in corrected], now
    )


async def _cancel(
    tx: WriteConnection, planned: Sequence[_Planned], now: datetime
) -> dict[UUID, CreditNote]:
    """The credit notes of all that is left of the invoices that are replaced, by these."""
    replaced = [(own.replaced, own.changed) for own in planned if own.replaced is not None]
    keys = [(invoice.tenant_id, invoice.id) for invoice, _ in replaced]
    credited = await credit_notes.fetch_credited_parts(tx, keys)
    tenants = [invoice.tenant_id for invoice, _ in replaced]
    note_numbers = await numbers.take_numbers(tx, series_of("CN", now), tenants)
    notes = {
        invoice.id: cancel_whole(
            invoice,
            number,
            reason_of_credit(invoice, changed),
            _cause(changed),
            credited.get((invoice.tenant_id, invoice.id), {}),
            now,
        )
        for (invoice, changed), number in zip(replaced, note_numbers, strict=True)
    }
    await credit_notes.insert_credit_notes(tx, list(notes.values()))
    return notes


def _cause(changed: Mapping[UUID, tuple[Invoice, BilledPeriod]]) -> str:
    """The correlation id of what changed last, by the order of periods."""
    bills = sorted((billed for _, billed in changed.values()), key=lambda billed: billed.key)
    return bills[-1].closed.correlation_id


async def _numbered(
    tx: WriteConnection,
    planned: Sequence[_Planned],
    notes: Mapping[UUID, CreditNote],
    now: datetime,
) -> list[tuple[Invoice, list[Invoice]]]:
    """The invoices with numbers, balances and proofs, each with its sections."""
    parts = [(own, chunk) for own in planned for chunk in divided(own.sections, size_of)]
    issues = []
    counted: set[UUID] = set()
    for own, chunk in parts:
        credited = ZERO
        if own.replaced is not None and own.replaced.id not in counted:
            counted.add(own.replaced.id)
            credited = notes[own.replaced.id].total
        first = chunk[0].invoice
        key = (first.tenant_id, first.customer_id, first.currency)
        issues.append(Issue(key, add_up(part.invoice.total for part in chunk), credited))
    tenants = [chunk[0].invoice.tenant_id for _, chunk in parts]
    taken = await numbers.take_numbers(tx, series_of("INV", now), tenants)
    balances = await period_handlers.balances_owed(tx, issues, issues, now)
    revisions = await _revisions(tx, [chunk for _, chunk in parts])
    issued: list[tuple[Invoice, list[Invoice]]] = []
    for (own, chunk), number, balance, revision in zip(
        parts, taken, balances, revisions, strict=True
    ):
        cause = _cause(own.changed) if own.changed else _last_cause(chunk)
        invoice, bills = compose(chunk, number, revision, balance, cause, now)
        proven = [
            await _with_root(tx, section, bill) for section, bill in zip(chunk, bills, strict=True)
        ]
        issued.append((replace(invoice, proof_root=collective_root(proven)), proven))
    return issued


def _last_cause(chunk: Sequence[CollectiveSection]) -> str:
    """The correlation id of an invoice that takes no other's place: of its last section."""
    return chunk[-1].invoice.correlation_id


async def _with_root(tx: WriteConnection, section: CollectiveSection, bill: Invoice) -> Invoice:
    """A section with the root of its own proof: a fresh one's, or that of what is stored of the one
    before it."""
    if isinstance(section, FreshSection):
        return with_root(bill, section.billed)
    stored = await proofs.fetch_proof(tx, bill.tenant_id, section.earlier.id)
    if stored is None:
        raise ValueError("a section that stays was issued before")
    return replace(bill, proof_root=stored_root(replace(stored, invoice=bill)))


async def _revisions(
    tx: WriteConnection, chunks: Sequence[Sequence[CollectiveSection]]
) -> list[int]:
    """The number of each invoice among those of its customer that begin on its first day."""
    keys: list[CollectiveKey] = [
        (
            chunk[0].invoice.tenant_id,
            chunk[0].invoice.customer_id,
            min(section.invoice.start_on for section in chunk),
        )
        for chunk in chunks
    ]
    counted = await collective_invoices.fetch_revisions_so_far(tx, sorted(set(keys)))
    revisions = []
    for key in keys:
        counted[key] += 1
        revisions.append(counted[key])
    return revisions
