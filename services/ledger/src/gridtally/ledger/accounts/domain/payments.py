"""Payments, refunds, write-offs, adjustments and allocations: what each command posts.

Owns which accounts a command touches, which open items its money goes to, and when it is refused.
Everything is decided from one customer's account in one currency, whose lock the caller holds.
Nothing that was posted is edited: `reversals` mirrors it. An over-payment is the customer's credit
(prepaid) until an allocation spends it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.money import EXACT, is_payable, minor_decimals
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.chart import Account
from gridtally.ledger.accounts.domain.commands import (
    ALLOCATIONS_MAX,
    Command,
    CreditSource,
    RequestedAllocation,
)
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.open_items import ZERO, Allocation, OpenItem
from gridtally.ledger.accounts.domain.transactions import (
    Posting,
    Transaction,
    TransactionKind,
    sum_of,
    transaction_id,
)


def post(account: CustomerAccount, command: Command) -> Transaction:
    """The transaction that carries out a command; Rejected where the account does not allow it."""
    match command.kind:
        case "payment":
            transaction = _pay(account, command)
        case "credit":
            transaction = _credit(account, command)
        case "charge" | "opening_charge" | "dunning_fee" | "instalment" | "budget_charge":
            transaction = _charge(account, command)
        case "opening_credit":
            transaction = _open_with_credit(account, command)
        case "deferral" | "budget_credit":
            transaction = _set_against_plan(account, command)
        case "refund":
            transaction = _refund(account, command)
        case "allocation":
            transaction = _allocate(account, command)
        case "write_off":
            transaction = _write_off(account, command)
        case "assignment":
            transaction = _assign(account, command)
        case "return":
            transaction = _return(account, command)
        case "deposit":
            transaction = _deposit(account, command)
    return replace(transaction, digest=command.digest)


def require_payable(account: CustomerAccount, transaction: Transaction) -> None:
    """Rejected for what nobody can pay, being finer than the currency's minor unit.

    Bills may be finer, where their tariff says so: of these an allocation takes what there is, a
    write-off the whole rest, and the settlement of a budget plan is what they came to.
    """
    if transaction.kind in ("allocation", "budget_settlement") or is_payable(
        transaction.total, transaction.currency
    ):
        return
    if transaction.kind == "write_off" and all(
        _is_payable_or_rest(account, allocation) for allocation in transaction.allocations
    ):
        return
    raise finer_than_currency(transaction.currency)


def finer_than_currency(currency: str) -> Rejected:
    """What an amount is refused with that nobody can pay."""
    fault = Fault("/amount", f"must have at most {minor_decimals(currency)} decimals in {currency}")
    return Rejected("finer_than_currency", "the currency has no unit so small", (fault,))


def _is_payable_or_rest(account: CustomerAccount, allocation: Allocation) -> bool:
    item = account.item(allocation.item_id)
    return is_payable(allocation.amount, account.currency) or (
        item is not None and item.open == allocation.amount
    )


def limited_to_open_items(account: CustomerAccount, command: Command) -> Command:
    """The command for money that has arrived already: an allocation that does not fit is cut to
    what the item has open, and what is left over becomes the customer's credit."""
    if command.allocations is None:
        return command
    left, allocated = _amount(command), dict[UUID, Decimal]()
    for requested in command.allocations[:ALLOCATIONS_MAX]:
        item = account.item(requested.item_id)
        already = allocated.get(requested.item_id, ZERO)
        open_ = max(ZERO, EXACT.subtract(item.open, already)) if item else ZERO
        if amount := min(requested.amount, open_, left):
            allocated[requested.item_id] = EXACT.add(already, amount)
            left = EXACT.subtract(left, amount)
    fitting = tuple(RequestedAllocation(*entry) for entry in allocated.items())
    return replace(command, allocations=fitting)


def _pay(account: CustomerAccount, command: Command) -> Transaction:
    """Money that came in: what it allocates off the receivable, the rest onto the credit. What
    comes for nobody who is known stands in suspense."""
    if not account.is_known:
        amount = _amount(command)
        _allocations(account, amount, command.allocations)  # refused where it names any
        moves = {chart.cash(account.currency): amount, chart.suspense(account.currency): -amount}
        return _transaction(account, command, "payment", moves)
    return _allocated_or_prepaid(account, command, "payment", chart.cash(account.currency))


def _assign(account: CustomerAccount, command: Command) -> Transaction:
    """A payment that stood in suspense is this customer's."""
    _require_known(account)
    suspense = chart.suspense(account.currency)
    return _allocated_or_prepaid(account, command, "assignment", suspense)


def _return(account: CustomerAccount, command: Command) -> Transaction:
    """A payment that stood in suspense is paid back to whoever sent it."""
    amount = _amount(command)
    moves = {chart.suspense(account.currency): amount, chart.cash(account.currency): -amount}
    return _transaction(account, command, "refund", moves)


def _deposit(account: CustomerAccount, command: Command) -> Transaction:
    """Money that is held for a customer, and pays nothing until it is set off."""
    _require_known(account)
    amount = _amount(command)
    moves = {
        chart.cash(account.currency): amount,
        chart.deposit(account.currency, account.customer_id): -amount,
    }
    return _transaction(account, command, "deposit", moves)


def _require_known(account: CustomerAccount) -> None:
    """Rejected where nobody would owe or own what is posted."""
    if not account.is_known:
        expected = f"must be a customer who pays in {account.currency}"
        fault = Fault("/customer_id", expected)
        raise Rejected("customer_unknown", "there is no such customer", (fault,))


def _credit(account: CustomerAccount, command: Command) -> Transaction:
    """An adjustment in the customer's favour; it is spent as a payment is."""
    _require_known(account)
    adjusted = chart.revenue(account.currency, "adjustment")
    return _allocated_or_prepaid(account, command, "adjustment", adjusted, total_sign=-1)


def _charge(account: CustomerAccount, command: Command) -> Transaction:
    """What the customer is to pay, an item of its own: an adjustment, what a dunning notice costs,
    what a budget plan asks for or lacks at its settlement, or what was owed when the account was
    taken over. That is no revenue, since it was earned in the books before these."""
    currency = account.currency
    match command.kind:
        case "opening_charge":
            return _owed(account, command, "opening_balance", chart.opening_balance(currency))
        case "dunning_fee":
            return _owed(account, command, "dunning_fee", chart.revenue(currency, "dunning_fee"))
        case "instalment":
            return _owed(account, command, "instalment", command.plan_account)
        case "budget_charge":
            return _owed(account, command, "budget_settlement", command.plan_account)
    return _owed(account, command, "adjustment", chart.revenue(currency, "adjustment"))


def _open_with_credit(account: CustomerAccount, command: Command) -> Transaction:
    """What the customer had as credit when the account was taken over; it is spent as a payment
    is."""
    _require_known(account)
    debited = chart.opening_balance(account.currency)
    return _allocated_or_prepaid(account, command, "opening_balance", debited, total_sign=-1)


def _set_against_plan(account: CustomerAccount, command: Command) -> Transaction:
    """An invoice that a budget plan takes upon it, or what it had asked for beyond these, as it is
    settled. What no item takes is the customer's credit."""
    _require_known(account)
    debited = command.plan_account
    if command.kind == "deferral":
        return _allocated_or_prepaid(account, command, "deferral", debited)
    return _allocated_or_prepaid(account, command, "budget_settlement", debited, -1)


def _owed(
    account: CustomerAccount, command: Command, kind: TransactionKind, credited: Account
) -> Transaction:
    """An amount that the customer is to pay: an item of its own."""
    _require_known(account)
    amount = _amount(command)
    due_on = command.due_on or command.occurred_at.astimezone(UTC).date()
    item = OpenItem(command.id, "charge", command.reference, amount, command.occurred_at, due_on)
    moves = {
        chart.receivable(account.currency, account.customer_id): amount,
        credited: -amount,
    }
    return _transaction(account, command, kind, moves, opens=item)


def _refund(account: CustomerAccount, command: Command) -> Transaction:
    """Money paid out, from the customer's credit, from what exported energy has earned, or from the
    deposit, which so is returned."""
    amount = _available(account, command.amount, command.source)
    moves = {
        _credit_account(account, command.source): amount,
        chart.cash(account.currency): -amount,
    }
    drawn = list(_drawn_down(account, amount)) if command.source == "export_payable" else []
    return _transaction(account, command, "refund", moves, drawn, total=amount)


def _allocate(account: CustomerAccount, command: Command) -> Transaction:
    """Spend the customer's credit, what exported energy has earned, or the deposit, on items."""
    wanted = command.amount
    if wanted is None and command.allocations is not None:
        wanted = sum_of(requested.amount for requested in command.allocations)
    elif wanted is None:
        payable = sum_of(item.open for item in account.open_items()[:ALLOCATIONS_MAX])
        wanted = min(payable, _available_credit(account, command.source))
    amount = _available(account, wanted, command.source)
    allocations = _allocations(account, amount, command.allocations)
    if sum_of(allocation.amount for allocation in allocations) != amount:
        raise Rejected(
            "nothing_to_allocate", f"open items take less than {account.written(amount)}"
        )
    moves = {
        _credit_account(account, command.source): amount,
        chart.receivable(account.currency, account.customer_id): -amount,
    }
    drawn = list(_drawn_down(account, amount)) if command.source == "export_payable" else []
    return _transaction(account, command, "allocation", moves, [*allocations, *drawn], total=amount)


def _write_off(account: CustomerAccount, command: Command) -> Transaction:
    """Give up what the named items, or the oldest, still have open."""
    amount = _amount(command)
    allocations = _allocations(account, amount, command.allocations)
    if sum_of(allocation.amount for allocation in allocations) != amount:
        fault = Fault("/amount", "must be allocated to open items in full")
        detail = f"open items take less than {account.written(amount)}"
        raise Rejected("above_open_amount", detail, (fault,))
    moves = {
        chart.write_off(account.currency): amount,
        chart.receivable(account.currency, account.customer_id): -amount,
    }
    return _transaction(account, command, "write_off", moves, allocations)


def _allocated_or_prepaid(
    account: CustomerAccount,
    command: Command,
    kind: TransactionKind,
    debited: Account,
    total_sign: int = 1,
) -> Transaction:
    """An amount in the customer's favour: what it allocates is off the receivable, the rest is
    prepaid."""
    amount = _amount(command)
    allocations = _allocations(account, amount, command.allocations)
    allocated = sum_of(allocation.amount for allocation in allocations)
    moves = {
        debited: amount,
        chart.receivable(account.currency, account.customer_id): -allocated,
        chart.prepaid(account.currency, account.customer_id): EXACT.subtract(allocated, amount),
    }
    return _transaction(account, command, kind, moves, allocations, total=total_sign * amount)


def _allocations(
    account: CustomerAccount, amount: Decimal, requested: tuple[RequestedAllocation, ...] | None
) -> list[RequestedAllocation]:
    """What of `amount` goes to which item; Rejected for requested allocations that do not fit.

    All that is wrong is reported at once, each with a JSON pointer into the request.
    """
    if requested is None:
        return list(_oldest_first(account.open_items(), amount))
    faults = []
    seen: set[UUID] = set()
    for index, allocation in enumerate(requested):
        item = account.item(allocation.item_id)
        if item is None or allocation.item_id in seen:
            own = "an item of this customer in this currency"
            expected = "another item than those before" if item else own
            faults.append(Fault(f"/allocations/{index}/invoice_id", f"must be {expected}"))
        elif allocation.amount > item.open:
            open_ = max(item.open, ZERO)
            most = f"must be at most {account.written(open_)}"
            faults.append(Fault(f"/allocations/{index}/amount", most))
        seen.add(allocation.item_id)
    if sum_of(allocation.amount for allocation in requested) > amount:
        faults.append(Fault("/allocations", f"must come to at most {account.written(amount)}"))
    if faults:
        raise Rejected("allocation_refused", "the allocations do not fit", tuple(faults))
    return list(requested)


def _oldest_first(items: list[OpenItem], amount: Decimal) -> Iterator[RequestedAllocation]:
    """What of `amount` goes to each of the items, in their order, until nothing is left of it.

    One pass over a list that is sorted by due day: an item takes all that it has open before the
    next one takes anything, so at most the last of them is paid in part.
    """
    left = amount
    for item in items[:ALLOCATIONS_MAX]:
        if allocated := min(left, abs(item.open)):
            yield RequestedAllocation(item.id, allocated)
            left = EXACT.subtract(left, allocated)


def _drawn_down(account: CustomerAccount, amount: Decimal) -> Iterator[RequestedAllocation]:
    """What is taken of items below zero, with their sign, the oldest due first."""
    for allocation in _oldest_first(account.open_items(-1), amount):
        yield RequestedAllocation(allocation.item_id, -allocation.amount)


def _amount(command: Command) -> Decimal:
    """The command's amount; Rejected where it has none."""
    if command.amount is None or command.amount <= 0:
        raise Rejected("amount_missing", "there is no amount to post")
    return command.amount


def _available_credit(account: CustomerAccount, source: CreditSource) -> Decimal:
    """What there is to spend: the prepaid credit, or what items below zero have open."""
    if source == "prepaid":
        return account.prepaid
    if source == "deposit":
        return account.deposit
    items = account.open_items(-1)[:ALLOCATIONS_MAX]
    return -sum_of(item.open for item in items)


def _credit_account(account: CustomerAccount, source: CreditSource) -> Account:
    named = {
        "prepaid": chart.prepaid, "export_payable": chart.export_payable, "deposit": chart.deposit,
    }  # fmt: skip
    return named[source](account.currency, account.customer_id)


def _available(account: CustomerAccount, wanted: Decimal | None, source: CreditSource) -> Decimal:
    """How much of the credit is spent, all of it where no amount is given; Rejected for nothing,
    and beyond what there is."""
    credit = _available_credit(account, source)
    amount = credit if wanted is None else wanted
    if amount <= 0:
        raise Rejected("nothing_to_allocate", "there is no credit, or nothing open to pay with it")
    if amount > credit:
        fault = Fault("/amount", f"must be at most {account.written(credit)}")
        detail = f"the customer's credit is {account.written(credit)}"
        raise Rejected("credit_exceeded", detail, (fault,))
    return amount


def _transaction(
    account: CustomerAccount,
    command: Command,
    kind: TransactionKind,
    moves: Mapping[Account, Decimal],
    allocations: list[RequestedAllocation] | None = None,
    *,
    opens: OpenItem | None = None,
    total: Decimal | None = None,
) -> Transaction:
    id_ = transaction_id(account.tenant_id, command.id)
    return Transaction(
        id=id_,
        tenant_id=account.tenant_id,
        kind=kind,
        document_id=command.id,
        reference=command.reference,
        reverses_id=None,
        customer_id=account.customer_id,
        currency=account.currency,
        total=_amount(command) if total is None else total,
        occurred_at=command.occurred_at,
        correlation_id=command.correlation_id,
        postings=tuple(Posting(moved, amount) for moved, amount in moves.items() if amount),
        digest=b"",  # of the command, by `post`
        memo=command.memo,
        allocations=tuple(
            Allocation(allocation.item_id, id_, allocation.amount)
            for allocation in allocations or ()
        ),
        opens=opens,
    )
