"""The ledger's accounts in memory: what its handlers ask of their stores, on a list of
transactions.

Owns nothing but transactions, in the order of their insertion; everything else is summed from them
when it is asked for. Refuses, as no database can, to answer about a customer that nobody locked.
"""

from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from gridtally.kernel.errors import Rejected
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.credit import SpentCredit
from gridtally.ledger.accounts.domain.customer_accounts import CustomerAccount
from gridtally.ledger.accounts.domain.reversals import LiveAllocation
from gridtally.ledger.accounts.domain.terms import Terms
from gridtally.ledger.accounts.domain.transactions import BALANCE_MAX, sum_of
from gridtally.ledger.accounts.domain.unmatched_payments import UnmatchedPayment
from gridtally.ledger.accounts.handlers import (
    budget_plans,
    commands,
    credit,
    customers,
    payments,
    postings,
    reversals,
    terms,
    unmatched_payments,
)

STORES = (
    "addressees", "adopted_payments", "budget_plans", "credit", "customers", "customer_accounts",
    "merges", "open_items", "prepayments", "store", "terms", "transactions",
    "unmatched_payments", "void_notes",
)  # fmt: skip
"""The modules that the handlers know their stores by."""


class AccountsInMemory:
    """One object for all stores of the accounts, and the outbox; a transaction at a time."""

    def __init__(self):
        self.transactions, self.outbox, self.notes = [], [], {}
        self.terms = {}
        self.meanwhile = []
        """What another writer commits just before the next insert."""
        self._locked = set()
        self._recorded, self._moment = {}, 0
        self._credit_due, self._versions = set(), Counter()
        self._known, self._resolved = set(), {}

    @asynccontextmanager
    async def transaction(self):
        """What is done within it stays, unless it fails; locks end with it."""
        before = list(self.transactions), list(self.outbox), dict(self.notes), dict(self.terms)
        others = self._versions.copy(), set(self._known), dict(self._resolved)
        self._moment += 1
        try:
            yield self
        except BaseException:
            self.transactions, self.outbox, self.notes, self.terms = before
            self._versions, self._known, self._resolved = others
            raise
        finally:
            self._locked.clear()

    def stand_in(self, monkeypatch):
        """Let the handlers find this where their stores and the outbox are."""
        handlers = (
            budget_plans, commands, credit, customers, payments, postings, reversals, terms,
            unmatched_payments,
        )  # fmt: skip
        for handler in handlers:
            for name in STORES:
                if hasattr(handler, name):
                    monkeypatch.setattr(handler, name, self)
        for handler in (commands, credit, payments, reversals, terms, unmatched_payments):
            monkeypatch.setattr(handler, "enqueue", self.enqueue)

    def let_read(self, keys):
        """Answer about these customers, for once, although nobody changes them."""
        self._locked |= set(keys)

    async def lock_customers(self, _tx, keys):
        self._locked |= set(keys)
        self._versions.update(set(keys))
        return {}

    async def lock_unchanged(self, _tx, keys):
        self._locked |= set(keys)

    async def insert_known(self, _tx, keys):
        fresh = sorted(set(keys) - self._known)
        self._known |= set(fresh)
        return fresh

    async def fetch_waiting(self, _read, _payments):
        """Nothing was ever restored."""
        return set()

    async def fetch_plans_of(self, _read, _customers):
        """Nobody has a budget plan."""
        return {}

    async def fetch_prepaid(self, _read, _keys):
        """Nobody is on prepayment."""
        return set()

    async def defer_credit(self, _tx, _keys):
        return set()

    async def insert_unmatched(self, _tx, payments):
        self._resolved |= {key_of(payment): None for payment in payments}

    def listed(self, stored):
        """Whether a transaction is a payment that is unmatched now."""
        return self._resolved.get(key_of(stored), stored.id) is None

    async def fetch_unmatched(self, _read, tenant_id, id_):
        if (tenant_id, id_) not in self._resolved:
            return None
        [payment] = (stored for stored in self.transactions if key_of(stored) == (tenant_id, id_))
        return UnmatchedPayment(
            tenant_id, id_, payment.document_id, payment.customer_id, payment.currency,
            payment.total, payment.reference, payment.memo, payment.occurred_at,
            payment.occurred_at, payment.correlation_id, self._resolved[tenant_id, id_],
        )  # fmt: skip

    async def fetch_unmatched_of(self, read, keys):
        payments = [await self.fetch_unmatched(read, *key) for key in self._resolved]
        wanted = [
            payment
            for payment in payments
            if (payment.tenant_id, payment.customer_id, payment.currency) in keys
            and payment.resolved_by is None
        ]
        return sorted(wanted, key=lambda payment: (payment.occurred_at, payment.id))

    async def update_resolved(self, _tx, resolutions):
        self._resolved |= {(tenant_id, id_): by for tenant_id, id_, by in resolutions}

    async def update_reopened(self, _tx, tenant_id, resolved_by):
        for key, by in self._resolved.items():
            if key[0] == tenant_id and by == resolved_by:
                self._resolved[key] = None

    async def enqueue(self, _tx, messages):
        self.outbox += messages

    async def fetch_terms(self, _read, tenants):
        return {tenant: self.terms.get(tenant, Terms()) for tenant in tenants}

    async def upsert_payment_days(self, _tx, newest):
        """Nobody has days of their own here."""

    async def upsert_addressees(self, _tx, newest):
        """Nobody is written to here."""

    async def delete_addressees(self, _tx, keys):
        """As above."""

    async def fetch_payment_days(self, _read, customers):
        return {}

    async def upsert_terms(self, _tx, tenant_id, terms):
        self.terms[tenant_id] = terms
        return 1, datetime(2025, 1, 1, tzinfo=UTC)

    async def mark_credit_due(self, _tx, tenant_id):
        self._credit_due |= {
            (stored.tenant_id, stored.customer_id)
            for stored in self.transactions
            if stored.tenant_id == tenant_id
        }

    async def claim_credit_due(self, _tx, customers_max):
        claimed = sorted(self._credit_due)[:customers_max]
        self._locked |= set(claimed)
        return {key: self._versions[key] for key in claimed}

    async def finish_credit_due(self, _tx, keys):
        self._credit_due -= set(keys)
        currencies = {
            (stored.tenant_id, stored.customer_id, stored.currency)
            for stored in self.transactions
            if (stored.tenant_id, stored.customer_id) in keys
        }
        return sorted(currencies)

    async def fetch_credited(self, _read, keys):
        credited = {}
        for key in keys:
            tenant_id, customer_id, currency = key
            named = (chart.prepaid, chart.export_payable)
            accounts = {name(currency, customer_id) for name in named}
            in_credit = {moved for moved in accounts if self.posted(tenant_id, moved) < 0}
            if dates := self._dates(tenant_id, in_credit):
                credited[key] = max(dates)
        return credited

    async def fetch_last_moved(self, _read, key):
        tenant_id, customer_id, currency = key
        return max(self._dates(tenant_id, {chart.prepaid(currency, customer_id)}), default=None)

    async def fetch_duplicates(self, _read, _tenant_id, _customer_id):
        """Nobody was ever merged."""
        return []

    async def fetch_spent(self, _read, key, _owners, order):
        tenant_id, customer_id, currency = key
        prepaid = chart.prepaid(currency, customer_id)
        spenders = {
            stored.id
            for stored in self.transactions
            if stored.tenant_id == tenant_id
            and stored.kind == "allocation"
            and stored.posted(prepaid) > 0
        }
        items = self._items()

        def age(live):
            recorded = self._recorded[tenant_id, live.source_id]
            return recorded, items[tenant_id, live.item_id][1].due_on, live.source_id

        spent = [
            live for at, live in self._live() if at == tenant_id and live.source_id in spenders
        ]
        spent.sort(key=lambda live: live.item_id)
        spent.sort(key=age, reverse=order == "newest_first")
        return [SpentCredit(live.item_id, live.source_id, live.amount) for live in spent]

    def _dates(self, tenant_id, accounts):
        """The dates of value of what is posted to any of these accounts."""
        return [
            stored.occurred_at
            for stored in self.transactions
            if stored.tenant_id == tenant_id
            and any(line.account in accounts for line in stored.postings)
        ]

    async def insert_void_notes(self, _tx, notes):
        for note in notes:
            self.notes.setdefault((note.tenant_id, note.invoice_id), note)

    async def insert_transactions(self, _tx, transactions):
        for other in self.meanwhile:
            self._insert(other)
        self.meanwhile = []
        ordered = sorted(transactions, key=key_of)
        self._require_locked((new.tenant_id, new.customer_id) for new in ordered)
        inserted = {key_of(new) for new in ordered if self._insert(new)}
        self._require_room([new for new in ordered if key_of(new) in inserted])
        return inserted

    def _insert(self, new):
        """Whether it is new: no other has its id, its document, or reverses what it reverses."""
        for other in self.transactions:
            if other.tenant_id == new.tenant_id and (
                new.id == other.id
                or new.document_id == other.document_id
                or (new.reverses_id and new.reverses_id == other.reverses_id)
            ):
                return False
        self.transactions.append(new)
        self._recorded[key_of(new)] = self._moment
        return True

    def _require_room(self, inserted):
        for moved in sorted(
            {(new.tenant_id, line.account) for new in inserted for line in new.postings},
            key=lambda moved: (moved[1].code, moved[1].currency),
        ):
            tenant_id, account = moved
            if account.customer_id and abs(self.posted(tenant_id, account)) >= BALANCE_MAX:
                what = f"{account.code} would hold {BALANCE_MAX:f} {account.currency} or more"
                raise Rejected("balance_too_large", what)

    async def fetch_digests(self, _read, keys):
        return {
            key_of(stored): stored.digest for stored in self.transactions if key_of(stored) in keys
        }

    async def is_reversed(self, _read, tenant_id, id_):
        return any(
            (stored.tenant_id, stored.reverses_id) == (tenant_id, id_)
            for stored in self.transactions
        )

    async def fetch_original(self, read, tenant_id, id_):
        for original in self.transactions:
            if key_of(original) == (tenant_id, id_):
                item_key = (tenant_id, original.document_id)
                items = await self.fetch_items(read, [item_key])
                return replace(original, opens=items.get(item_key), voids=None)
        return None

    async def fetch_items(self, _read, keys):
        return {key: item for key, (_, item) in self._items().items() if key in keys}

    async def fetch_customer_accounts(self, _read, wanted, named=()):
        self._require_locked((tenant_id, customer_id) for tenant_id, customer_id, _ in wanted)
        return {key: self._customer_account(key, named) for key in wanted}

    async def fetch_allocations_of_items(self, _read, keys):
        by_item = defaultdict(list)
        for tenant_id, live in self._live():
            if (tenant_id, live.item_id) in keys:
                by_item[tenant_id, live.item_id].append(live)
        return by_item

    async def fetch_allocations_by(self, _read, tenant_id, source_id):
        return [live for at, live in self._live() if (at, live.source_id) == (tenant_id, source_id)]

    def posted(self, tenant_id, account):
        """Debits less credits of an account."""
        mine = (stored for stored in self.transactions if stored.tenant_id == tenant_id)
        return sum_of(stored.posted(account) for stored in mine)

    def _customer_account(self, key, named):
        tenant_id, customer_id, currency = key
        items = {
            item.id: item
            for (tenant, _), (opening, item) in self._items().items()
            if (tenant, opening.customer_id, opening.currency) == key
            and (item.open or item.id in named)
        }
        prepaid = -self.posted(tenant_id, chart.prepaid(currency, customer_id))
        held = -self.posted(tenant_id, chart.deposit(currency, customer_id))
        return CustomerAccount(*key, prepaid, items, key in self._known, held)

    def _items(self):
        """By tenant and id each item as it is now, with the transaction that opened it."""
        opened = {
            (stored.tenant_id, stored.opens.id): stored
            for stored in self.transactions
            if stored.opens
        }
        voided = {(stored.tenant_id, stored.voids) for stored in self.transactions if stored.voids}
        allocated = defaultdict(Decimal)
        for tenant_id, live in self._live():
            allocated[tenant_id, live.item_id] += live.amount
        return {
            key: (stored, replace(stored.opens, allocated=allocated[key], voided=key in voided))
            for key, stored in opened.items()
        }

    def _live(self):
        """Each tenant's allocations that are not taken back, in the order of items and sources."""
        kinds = {key_of(stored): stored.kind for stored in self.transactions}
        sums = defaultdict(Decimal)
        for stored in self.transactions:
            for part in stored.allocations:
                sums[stored.tenant_id, part.item_id, part.source_id] += part.amount
        for (tenant_id, item_id, source_id), amount in sorted(sums.items()):
            if amount:
                kind = kinds[tenant_id, source_id]
                yield tenant_id, LiveAllocation(item_id, source_id, kind, amount)

    def _require_locked(self, keys):
        missing = set(keys) - self._locked
        assert not missing, f"nobody locked {missing}"


def key_of(transaction):
    """A transaction's tenant and id."""
    return transaction.tenant_id, transaction.id
