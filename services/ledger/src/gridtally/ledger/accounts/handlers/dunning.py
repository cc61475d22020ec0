"""Dunning runs: each looks at a tenant's customers in pages, one in each transaction of a loop.

A page's notices, their fees and how far the run has come are committed together. So a process that
is killed repeats at most what it had not committed, and a run that is asked for again issues only
what has fallen due since.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog

from gridtally.contracts.dunning import DunningNoticeChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.documents.dunning import NoticeFacts, OverdueItem
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.ids import derive_id, new_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.direct_debits import HELD_DAYS
from gridtally.ledger.accounts.domain.dunning import (
    DAYS_BACK_MAX,
    DunningNotice,
    DunningRun,
    WithdrawReason,
    notice_of,
)
from gridtally.ledger.accounts.domain.payment_plans import PlanPosition
from gridtally.ledger.accounts.domain.reversals import Reason
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.events import dunning as events
from gridtally.ledger.accounts.handlers.commands import decide_commands, post_decided
from gridtally.ledger.accounts.handlers.reversals import reverse_transaction
from gridtally.ledger.accounts.store import (
    customer_accounts,
    customers,
    direct_debits,
    dunning,
    dunning_rules,
    payment_plans,
    transactions,
)
from gridtally.ledger.accounts.store.addressees import fetch_addressees
from gridtally.ledger.accounts.store.sellers import fetch_seller_at
from gridtally.messaging import ReceivedMessage, enqueue

CUSTOMERS_MAX = 250
"""Looked at in one transaction."""

log = structlog.get_logger(__name__)


def run_of(on: date | None, now: datetime) -> DunningRun:
    """A run of a day, or of today in UTC; Rejected for a day that is too far away."""
    today = now.astimezone(UTC).date()
    wanted = on or today
    if not today - timedelta(days=DAYS_BACK_MAX) <= wanted <= today + timedelta(days=1):
        fault = Fault(
            "/on", f"must be within {DAYS_BACK_MAX} days back, and tomorrow at the latest"
        )
        raise Rejected("dunning_day_refused", "nobody is dunned for this day", (fault,))
    return DunningRun(new_id(), wanted, now)


async def start_run(tx: WriteConnection, cause: Cause, run: DunningRun) -> None:
    """Have a run begin; Conflict where there are no levels, or another run goes on."""
    if not (await dunning_rules.fetch_rules(tx, cause.tenant_id)).levels:
        raise Conflict("dunning_rules_missing", "there are no levels; set them first")
    if not await dunning.insert_run(tx, cause.tenant_id, run):
        raise Conflict("dunning_run_going", "another run goes on; wait until it is finished")


async def start_daily_runs(tx: WriteConnection, now: datetime) -> int:
    """Have today's run begin of each tenant whose rules say so. Returns how many that were.

    A run's id follows from tenant and day, so that of two processes one begins it, and it is the
    same run after a restore.
    """
    today = now.astimezone(UTC).date()
    begun = 0
    for tenant_id in await dunning_rules.fetch_daily_due(tx, today):
        run = DunningRun(derive_id("dunning_run", tenant_id, today), today, now)
        begun += await dunning.insert_run(tx, tenant_id, run)
    return begun


async def advance_run(tx: WriteConnection, now: datetime) -> int:
    """Look at the next customers of a run that goes on. Returns how many that were, and one for
    its end."""
    going = await dunning.claim_run(tx)
    if going is None:
        return 0
    tenant_id, run = going.tenant_id, going.run
    page = await dunning.fetch_to_look_at(tx, tenant_id, run.dunned_on, going.after, CUSTOMERS_MAX)
    await customers.lock_customers(tx, [(tenant_id, customer_id) for customer_id in page])
    await _issue(tx, tenant_id, await notices_of(tx, tenant_id, page, run, now))
    is_done = len(page) < CUSTOMERS_MAX
    after = page[-1] if page else going.after
    await dunning.move_run(tx, going, after, now if is_done else None)
    return len(page) + is_done


async def notices_of(
    read: ReadConnection, tenant_id: str, page: Sequence[UUID], run: DunningRun, now: datetime
) -> list[DunningNotice]:
    """The notices that these customers get; to issue them the customers must be locked."""
    rules = await dunning_rules.fetch_rules(read, tenant_id)
    stopped = await dunning_rules.fetch_stopped(read, tenant_id, page, run.dunned_on)
    asked = [customer_id for customer_id in page if customer_id not in stopped]
    keys = await dunning.fetch_accounts(read, tenant_id, asked, run.dunned_on)
    accounts = await customer_accounts.fetch_customer_accounts(read, keys)
    histories = await dunning.fetch_histories(read, tenant_id, asked)
    plans = await payment_plans.fetch_live_of(read, [(tenant_id, own) for own in asked])
    held_since = now.astimezone(UTC).date() - timedelta(days=HELD_DAYS)
    awaited = await direct_debits.fetch_awaited(read, tenant_id, asked, held_since)
    notices = (
        notice_of(
            rules,
            accounts[key],
            histories[key[1]],
            awaited | _planned(plans.get(key[:2], ()), run.dunned_on),
            run,
            now,
        )
        for key in keys
    )
    return [notice for notice in notices if notice is not None]


def _planned(plans: Sequence[PlanPosition], on: date) -> dict[UUID, Decimal]:
    """What of each item is to be paid by a plan that is not broken."""
    return {
        item.id: position.open_of(item)
        for position in plans
        if position.state(on) in ("kept", "late")
        for item in position.plan.items
    }


async def _issue(tx: WriteConnection, tenant_id: str, notices: Sequence[DunningNotice]) -> None:
    """Issue notices; one whose fee the books refuse is left out, and logged."""
    try:
        async with tx.savepoint():
            await _issue_all(tx, tenant_id, notices)
    except Rejected:  # of one of them, which is nothing to the others
        for notice in notices:
            await _issue_alone(tx, tenant_id, notice)


async def _issue_alone(tx: WriteConnection, tenant_id: str, notice: DunningNotice) -> None:
    try:
        async with tx.savepoint():
            await _issue_all(tx, tenant_id, [notice])
    except Rejected as refused:
        log.error(  # noqa: TRY400 - the reason says it all
            "dunning notice refused",
            tenant_id=tenant_id,
            customer_id=str(notice.customer_id),
            code=refused.code,
            reason=str(refused),
        )


async def _issue_all(tx: WriteConnection, tenant_id: str, notices: Sequence[DunningNotice]) -> None:
    """Store and publish notices, and book their fees; Rejected where the books refuse one."""
    await dunning.put_notices(tx, tenant_id, [(notice, 1) for notice in notices])
    await enqueue(tx, [events.dunning_notice_changed(notice, 1, tenant_id) for notice in notices])
    fees = [notice.fee_command(str(notice.run_id)) for notice in notices if notice.fee]
    decisions = await decide_commands(tx, tenant_id, fees)
    for _, refused in decisions.refusals():
        raise refused
    await post_decided(tx, decisions)


async def withdraw_notice(
    tx: WriteConnection, cause: Cause, id_: UUID, reason: WithdrawReason, now: datetime
) -> None:
    """Have a notice count no more, and its fee be owed no more: what was paid of that becomes
    credit. NotFound where there is no such notice; Conflict where it was withdrawn, or one of its
    items has reached another level since."""
    shown = await dunning.fetch_notice(tx, cause.tenant_id, id_)
    await customers.lock_customers(tx, [(cause.tenant_id, shown.notice.customer_id)])
    shown = await dunning.fetch_notice(tx, cause.tenant_id, id_)
    withdrawn = shown.notice.withdrawn(now, reason)
    if await dunning.is_followed(tx, cause.tenant_id, withdrawn):
        raise Conflict("dunning_notice_followed", "withdraw the notices that came after it first")
    version = await dunning.withdraw_notice(tx, cause.tenant_id, withdrawn)
    await enqueue(
        tx,
        [events.dunning_notice_changed(withdrawn, version, cause.tenant_id, cause.correlation_id)],
    )
    fee = transaction_id(cause.tenant_id, id_)
    if withdrawn.fee and not await transactions.is_reversed(tx, cause.tenant_id, fee):
        why = Reason(f"notice withdrawn: {reason}", now, cause.correlation_id, is_dated=False)
        await reverse_transaction(tx, cause.tenant_id, fee, why)


async def notice_facts(read: ReadConnection, tenant_id: str, notice_id: UUID) -> NoticeFacts:
    """What a notice's letter is made of: the notice and its letterhead as they were when it was
    issued, and the customer's address as it is now, so that nobody is named who was erased.

    NotFound without the notice, Rejected for as long as nobody knows who sells, or who the customer
    is.
    """
    shown = await dunning.fetch_notice(read, tenant_id, notice_id)
    notice = shown.notice
    seller = await fetch_seller_at(read, tenant_id, notice.issued_at)
    if seller is None:
        raise Rejected("seller_missing", "a document names its seller: PUT /v1/seller first")
    buyers = await fetch_addressees(read, tenant_id, [notice.customer_id])
    if notice.customer_id not in buyers:
        raise Rejected("customer_unknown", "billing has not said to whom it is addressed")
    items = [
        OverdueItem(
            shown.named[item.id].number if item.id in shown.named else "", item.due_on, item.open
        )
        for item in notice.items
    ]
    return NoticeFacts(
        seller=seller,
        buyer=buyers[notice.customer_id],
        name=notice.name,
        issued_on=notice.issued_at.date(),
        currency=notice.currency,
        items=items,
        others=notice.others,
        fee=notice.fee,
        credit=notice.credit,
        total=notice.total,
        pay_by=notice.pay_by,
    )


async def adopt_notices(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[DunningNoticeChanged]]
) -> Sequence[ReceivedMessage[Any]]:
    """After a restore: notices in the versions that were published, and the runs that they are of.
    Their fees are posted again as everything that was posted for customers is."""
    for message in messages:
        if message.event is not None:
            notice, tenant_id = events.dunning_notice(message.event), message.envelope.tenant_id
            await dunning.adopt_run(tx, tenant_id, notice)
            await dunning.put_notices(tx, tenant_id, [(notice, message.event.version)])
    return []
