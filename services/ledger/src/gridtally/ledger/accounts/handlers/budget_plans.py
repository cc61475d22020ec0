"""Agreeing budget plans, asking for their instalments, and settling them.

An invoice of a plan's time is deferred in the transaction that posts it, before credit could pay
it. What happens by itself on a day, a loop does: asking for an instalment, and settling. A document
that was issued before a settlement and posted after it leaves something on the plan's account; the
loop then settles that too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog

from gridtally.contracts.budget_plans import BudgetPlanChanged
from gridtally.database import WriteConnection
from gridtally.kernel.errors import Fault, NotFound, Rejected, Transient
from gridtally.kernel.ids import new_id
from gridtally.kernel.money import is_payable
from gridtally.kernel.periods import ONE_DAY
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts import events
from gridtally.ledger.accounts.domain.budget_plans import (
    BudgetPlan,
    BudgetPosition,
    RequestedBudget,
    agreed_plan,
    deferring,
)
from gridtally.ledger.accounts.domain.chart import Account
from gridtally.ledger.accounts.domain.commands import Command
from gridtally.ledger.accounts.domain.open_items import due_after
from gridtally.ledger.accounts.domain.payments import finer_than_currency, post
from gridtally.ledger.accounts.domain.postings import Document
from gridtally.ledger.accounts.domain.reversals import LiveAllocation
from gridtally.ledger.accounts.domain.transactions import Transaction
from gridtally.ledger.accounts.events import budget_plans as plan_events
from gridtally.ledger.accounts.handlers.commands import decide_commands, post_decided
from gridtally.ledger.accounts.handlers.merges import require_unmerged
from gridtally.ledger.accounts.handlers.prepayments import require_postpaid
from gridtally.ledger.accounts.store import (
    adopted_payments,
    budget_plans,
    customer_accounts,
    customers,
    terms,
    transactions,
)
from gridtally.ledger.accounts.store.budget_plans import StoredPlan
from gridtally.ledger.accounts.store.customers import Key
from gridtally.messaging import ReceivedMessage, enqueue

PLANS_MAX = 250
"""Looked at in one transaction."""
CAUGHT_UP_DAYS = 2
"""So many days after a restore the last document that was issued before has come again."""

log = structlog.get_logger(__name__)


async def agree_plan(
    tx: WriteConnection, cause: Cause, wanted: RequestedBudget, now: datetime
) -> UUID:
    """Store and publish a plan, and ask for what is due soon. Returns its id."""
    key = (cause.tenant_id, wanted.customer_id)
    await customers.lock_customers(tx, [key])
    await require_postpaid(tx, key)
    await require_unmerged(tx, *key)
    _require_payable(wanted.amount, wanted.currency)
    account_key = (*key, wanted.currency)
    accounts = await customer_accounts.fetch_customer_accounts(tx, [account_key])
    if not accounts[account_key].is_known:
        fault = Fault("/customer_id", f"must be a customer who pays in {wanted.currency}")
        raise Rejected("customer_unknown", "there is no such customer", (fault,))
    others = (await budget_plans.fetch_plans_of(tx, [key])).get(key, [])
    plan = agreed_plan(new_id(), wanted, [own.plan for own in others], now)
    stored = StoredPlan(cause.tenant_id, plan, 1)
    await _put(tx, stored, now, cause.correlation_id)
    await _advance(tx, [stored], now)
    return plan.id


async def change_plan(
    tx: WriteConnection,
    cause: Cause,
    id_: UUID,
    change: Callable[[BudgetPosition], BudgetPlan],
    now: datetime,
) -> None:
    """Have a plan be as `change` says of what has come of it; the same again changes nothing.
    NotFound where there is no such plan."""
    stored, position = await _locked(tx, cause.tenant_id, id_)
    changed = change(position)
    for instalment in changed.instalments:
        _require_payable(instalment.amount, changed.currency)
    if changed != stored.plan:
        await _put(tx, replace(stored, plan=changed, version=stored.version + 1), now,
                   cause.correlation_id)  # fmt: skip


async def settle_plan(tx: WriteConnection, cause: Cause, id_: UUID, now: datetime) -> None:
    """Settle a plan now. NotFound where there is no such plan; Conflict where it goes on, or was
    settled."""
    stored, position = await _locked(tx, cause.tenant_id, id_)
    stored.plan.require_settleable(now.astimezone(UTC).date())
    await _settle(tx, [(stored, position)], now)


async def advance_plans(tx: WriteConnection, now: datetime) -> int:
    """Ask for the instalments of all tenants' plans that are due soon, and settle those whose day
    has come (UTC). Returns how many plans that were."""
    plans = await budget_plans.fetch_to_look_at(tx, now.astimezone(UTC).date(), PLANS_MAX)
    if not plans:
        return 0
    await customers.lock_customers(tx, [own.customer for own in plans])
    plans = await _again(tx, plans)
    try:
        async with tx.savepoint():
            await _advance(tx, plans, now)
    except Rejected:  # of one of them, which is nothing to the others
        for own in plans:
            await _advance_alone(tx, own, now)
    return len(plans)


async def defer_invoices(
    tx: WriteConnection, invoices: Sequence[tuple[Document, Transaction]]
) -> None:
    """Have those of these invoices, which are posted now, wait for a settlement that are of a
    plan's time; the customers are locked. One below zero is credit, and does not wait."""
    keys = {(own.tenant_id, own.owner_id) for _, own in invoices}
    plans = await budget_plans.fetch_plans_of(tx, keys) if keys else {}
    if not plans:
        return
    mine = [pair for pair in invoices if (pair[1].tenant_id, pair[1].owner_id) in plans]
    accounts = await customer_accounts.fetch_customer_accounts(
        tx, [(own.tenant_id, own.owner_id, own.currency) for _, own in mine]
    )
    deferred: list[tuple[StoredPlan, Command, Transaction]] = []
    for document, posted in mine:
        account = accounts[posted.tenant_id, posted.owner_id, posted.currency]
        item = account.item(document.id)
        stored = _plan_of(plans[posted.tenant_id, posted.owner_id], document)
        if stored is None or item is None or item.open <= 0:
            continue
        command = stored.plan.deferral(item, document.issued_at, document.correlation_id)
        deferred.append((stored, command, post(account, command)))
    inserted = await transactions.insert_transactions(tx, [own for _, _, own in deferred])
    new = [own for own in deferred if (own[2].tenant_id, own[2].id) in inserted]
    await enqueue(
        tx, [events.transaction_recorded(posted, command.kind) for _, command, posted in new]
    )
    await _look_at_settled(tx, [stored for stored, _, _ in new])


async def plans_behind(
    tx: WriteConnection, customer: Key, live: Sequence[LiveAllocation], at: datetime
) -> Mapping[UUID, Account]:
    """By their deferrals, the plans that had taken upon them what is taken back now, unless they
    were settled when that was said; the customer is locked."""
    deferred = [own for own in live if own.source_kind == "deferral"]
    if not deferred:
        return {}
    plans = (await budget_plans.fetch_plans_of(tx, [customer])).get(customer, [])
    by_id = {own.plan.id: own for own in plans if own.plan.is_open_at(at)}
    listed = [own.plan for own in by_id.values()]
    behind = {}
    for allocation in deferred:
        plan = deferring(listed, customer[0], allocation.item_id).get(allocation.source_id)
        if plan is not None:
            behind[allocation.source_id] = plan
    await _look_at_settled(tx, [by_id[own.id] for own in behind.values()])
    return {source_id: plan.account for source_id, plan in behind.items()}


async def adopt_plans(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[BudgetPlanChanged]]
) -> Sequence[ReceivedMessage[Any]]:
    """After a restore: plans in the versions that were published. Each is looked at as soon as
    nothing of its customer waits any more; but one that was settled only once billing's documents
    have come again too, since a credit note that is still to come would be settled as if new."""
    for message in messages:
        if message.event is not None:
            plan = plan_events.budget_plan(message.event)
            stored = StoredPlan(message.envelope.tenant_id, plan, message.event.version)
            await budget_plans.put_plan(tx, stored, plan.agreed_at.date())
            await budget_plans.hold_settled(tx, stored, CAUGHT_UP_DAYS)
    return []


def _require_payable(amount: Decimal, currency: str) -> None:
    if not is_payable(amount, currency):
        raise finer_than_currency(currency)


def _plan_of(plans: Sequence[StoredPlan], document: Document) -> StoredPlan | None:
    """The plan that an invoice waits for."""
    if document.start_on is None:
        return None
    return next(
        (
            own
            for own in plans
            if own.plan.currency == document.currency
            and own.plan.defers(document.start_on, document.issued_at)
        ),
        None,
    )


async def _locked(
    tx: WriteConnection, tenant_id: str, id_: UUID
) -> tuple[StoredPlan, BudgetPosition]:
    """A plan and what has come of it, once its customer is locked; NotFound where there is none.
    Transient while something that was posted before a restore waits: all that was asked for is not
    known then."""
    plans = await budget_plans.fetch_plans(tx, tenant_id, [id_])
    if not plans:
        raise NotFound("budget_plan_unknown", "no budget plan has this id")
    customer = plans[0].customer
    await customers.lock_customers(tx, [customer])
    if await adopted_payments.defer_credit(tx, {customer}):
        raise Transient("what was posted for the customer before a restore will be again first")
    [stored] = await budget_plans.fetch_plans(tx, tenant_id, [id_])
    [position] = await budget_plans.fetch_positions(tx, [stored])
    return stored, position


async def _again(tx: WriteConnection, plans: Sequence[StoredPlan]) -> list[StoredPlan]:
    """The plans as they are once their customers are locked."""
    of_customers = await budget_plans.fetch_plans_of(tx, [own.customer for own in plans])
    wanted = {(own.tenant_id, own.plan.id) for own in plans}
    return [
        own
        for listed in of_customers.values()
        for own in listed
        if (own.tenant_id, own.plan.id) in wanted
    ]


async def _advance(tx: WriteConnection, plans: Sequence[StoredPlan], now: datetime) -> None:
    """Do what is due of these plans, whose customers are locked."""
    today = now.astimezone(UTC).date()
    positions = await budget_plans.fetch_positions(tx, plans)
    both = list(zip(plans, positions, strict=True))
    await _post(
        tx,
        [
            (stored.tenant_id, stored.plan.request(instalment, now))
            for stored, position in both
            if stored.plan.settled_at is None
            for instalment in stored.plan.due_requests(today)
            if position.item(instalment) is None
        ],
    )
    is_due = {own.plan.id: own.plan.settle_on <= today for own in plans}
    going = [own for own in plans if not is_due[own.plan.id] and own.plan.settled_at is None]
    ending = [own for own in plans if own not in going]
    await _settle(
        tx, list(zip(ending, await budget_plans.fetch_positions(tx, ending), strict=True)), now
    )
    await budget_plans.update_look_on(
        tx, [(own.tenant_id, own.plan.id, own.plan.next_look_on(today)) for own in going]
    )


async def _advance_alone(tx: WriteConnection, stored: StoredPlan, now: datetime) -> None:
    """Do what is due of a plan; where the books refuse that, again tomorrow: somebody must look."""
    try:
        async with tx.savepoint():
            await _advance(tx, [stored], now)
    except Rejected as refused:
        log.error(  # noqa: TRY400 - the reason says it all
            "budget plan refused",
            tenant_id=stored.tenant_id,
            plan_id=str(stored.plan.id),
            code=refused.code,
            reason=str(refused),
        )
        tomorrow = now.astimezone(UTC).date() + ONE_DAY
        await budget_plans.update_look_on(tx, [(stored.tenant_id, stored.plan.id, tomorrow)])


async def _settle(
    tx: WriteConnection, plans: Sequence[tuple[StoredPlan, BudgetPosition]], now: datetime
) -> None:
    """Set what was asked for against what was used, of plans whose customers are locked. One that
    was settled is settled by what has come to its account since."""
    if not plans:
        return
    known = await terms.fetch_terms(tx, {stored.tenant_id for stored, _ in plans})
    own_days = await terms.fetch_payment_days(tx, {stored.customer for stored, _ in plans})
    commands, unchanged = [], []
    for stored, position in plans:
        if stored.plan.settled_at is not None and not position.balance:
            unchanged.append((stored.tenant_id, stored.plan.id, None))
            continue
        days = own_days.get(stored.customer, known[stored.tenant_id].payment_days)
        version = stored.version + 1
        due_on = due_after(now.astimezone(UTC).date(), days)
        asked = position.instalments_asked()
        if position.balance:
            command = stored.plan.settlement(position.balance, version, now, due_on)
            commands.append((stored.tenant_id, command))
        settled = stored.plan.settled_by(position.balance, asked, now)
        await _put(tx, replace(stored, plan=settled, version=version), now, str(settled.id))
    await budget_plans.update_look_on(tx, unchanged)
    await _post(tx, commands)


async def _post(tx: WriteConnection, commands: Sequence[tuple[str, Command]]) -> None:
    """Post and publish what plans ask for, tenant by tenant; Rejected where the books refuse one of
    them."""
    for tenant_id in sorted({tenant_id for tenant_id, _ in commands}):
        mine = [command for own_tenant, command in commands if own_tenant == tenant_id]
        decisions = await decide_commands(tx, tenant_id, mine)
        for _, refused in decisions.refusals():
            raise refused
        await post_decided(tx, decisions)


async def _put(tx: WriteConnection, stored: StoredPlan, now: datetime, correlation_id: str) -> None:
    """Store and publish a version of a plan, at which the loop is to look again."""
    look_on = now.astimezone(UTC).date() if stored.plan.settled_at is None else None
    await budget_plans.put_plan(tx, stored, look_on)
    changed = plan_events.budget_plan_changed(
        stored.tenant_id, stored.plan, stored.version, now, correlation_id
    )
    await enqueue(tx, [changed])


async def _look_at_settled(tx: WriteConnection, plans: Sequence[StoredPlan]) -> None:
    """Have those of these plans that were settled be settled once more."""
    settled = [
        (own.tenant_id, own.plan.id, own.plan.settled_at.astimezone(UTC).date())
        for own in {(own.tenant_id, own.plan.id): own for own in plans}.values()
        if own.plan.settled_at is not None
    ]
    if settled:
        await budget_plans.look_again(tx, settled)
