"""Billing's store in memory: what the handlers of periods and of reference data need of it.

Knows nothing of tenants' walls, locks, transactions or constraints: PostgreSQL is there for those.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gridtally.billing.domain.collective_members import CollectiveTerms
from gridtally.billing.domain.credit_notes import CreditedPart
from gridtally.billing.domain.invoices import numbered
from gridtally.billing.domain.periods import LiveInvoice, Predecessor, Successor
from gridtally.billing.domain.reference_data import Meter, ReferenceData
from gridtally.billing.domain.tariffs import InForce
from gridtally.kernel.periods import ONE_DAY
from gridtally.rating.price_days import PriceDay, versioned_series


@dataclass
class BilledRow:
    """A row of `billed_period`."""

    end_on: object
    revision: int
    invoiced_revision: object = None
    restatement: int = 0
    state: object = field(default_factory=dict)
    unbilled: object = None


@dataclass
class HeldRow:
    """A row of `held_period`."""

    held: object
    held_at: object
    due: bool


class Tables:
    """What has been stored: rows by their keys."""

    def __init__(self):
        self.currencies, self.agreements, self.meters = {}, {}, {}
        self.versions, self.prices, self.balances = {}, {}, {}
        self.billed, self.held, self.invoices, self.lines, self.evidence = {}, {}, {}, {}, {}
        self.credit_notes, self.outbox, self.approving, self.drafts = [], [], set(), {}
        self.issued, self.issued_totals = Counter(), defaultdict(Decimal)


@dataclass
class Store:
    """A module of `gridtally.billing.store` over tables in memory."""

    tables: Tables


class Agreements(Store):
    """As `store.agreements`."""

    async def lock_agreements(self, tx, agreements):
        """Nobody else is there."""

    async def fetch_back_billing_months(self, read, keys):
        of = self.tables.agreements
        return {key: months for key in keys if (months := of[key].back_billing_months)}


class ReferenceDataStore(Store):
    """As `store.reference_data`."""

    async def lock_reference_data_shared(self, tx):
        """Nobody else is there."""

    async def lock_reference_data_exclusive(self, tx):
        """Nobody else is there."""

    async def fetch_reference_data(self, read, agreements, meters, start_on, end_on):
        """What is known of these agreements and meters, and of tariffs from start to end."""
        tables = self.tables
        known = {key: tables.agreements[key] for key in agreements if key in tables.agreements}
        tariffs = {(key[0], agreement.tariff_id) for key, agreement in known.items()}
        versions, documents = defaultdict(list), {}
        for (tenant_id, version_id), event in tables.versions.items():
            in_window = event.effective_from < end_on and (
                event.effective_to is None or event.effective_to > start_on
            )
            tariff = tenant_id, event.tariff_id
            if tariff in tariffs and event.status == "published" and in_window:
                versions[tariff].append(
                    InForce(version_id, event.number, event.effective_from, event.effective_to)
                )
                documents[tenant_id, version_id] = json.dumps(event.document)
        return ReferenceData(
            agreements=known,
            meters={key: tables.meters[key][0] for key in meters if key in tables.meters},
            currencies={
                (key[0], agreement.customer_id): tables.currencies[key[0], agreement.customer_id]
                for key, agreement in known.items()
            },
            versions=versions,
            documents=documents,
        )

    async def with_prices(self, read, known, start_on, end_on):
        """The reference data with the newest prices that its tariffs need."""
        newest = {}
        for (tenant_id, code, day, version), event in sorted(self.tables.prices.items()):
            if start_on - ONE_DAY <= day <= end_on + ONE_DAY:
                price_day = PriceDay(
                    day, event.zone, event.minutes, event.currency, version, tuple(event.prices)
                )
                newest.setdefault((tenant_id, code), {})[day] = price_day
        wanted = known.price_series_keys()
        prices = {
            key: versioned_series([*days.values()]) for key, days in newest.items() if key in wanted
        }
        return replace(known, prices=prices)

    async def upsert_versions(self, tx, published):
        """Each version as it is now; a version only ever loses days."""
        changed = []
        for key, event in published.items():
            old = self.tables.versions.get(key)
            new = event if old is None else _with_fewer_days(old, event)
            if new != old:
                self.tables.versions[key] = new
                changed.append(key)
        return changed

    async def upsert_meters(self, tx, registered):
        """The newest version of each meter."""
        changed = []
        for key, event in registered.items():
            if key not in self.tables.meters or self.tables.meters[key][1] < event.version:
                flows = frozenset(channel.flow for channel in event.channels)
                self.tables.meters[key] = Meter(event.connected_kw, flows), event.version
                changed.append(key)
        return changed

    async def insert_prices(self, tx, published):
        """Every version of each day's prices."""
        fresh = {key: event for key, event in published.items() if key not in self.tables.prices}
        self.tables.prices |= fresh
        return [key[:3] for key in fresh]


def _with_fewer_days(old, event):
    if old.status == "withdrawn":
        return old
    ends = [end for end in (old.effective_to, event.effective_to) if end is not None]
    return old.model_copy(update={"status": event.status, "effective_to": min(ends, default=None)})


class Periods(Store):
    """As `store.periods`."""

    async def lock_newer(self, tx, periods):
        """Move each period's row to the revision that came, where that is newer."""
        newer = []
        for closed in periods:
            row = self.tables.billed.setdefault(closed.key, BilledRow(None, 0))
            if row.revision < closed.revision:
                row.end_on, row.revision = closed.period.end_on, closed.revision
                row.unbilled = None
                newer.append(closed)
        return newer

    async def fetch_predecessors(self, read, keys):
        """The last period before each of these."""
        predecessors = {}
        for tenant_id, agreement_id, start_on in keys:
            earlier = [
                key
                for key in self.tables.billed
                if key[:2] == (tenant_id, agreement_id) and key[2] < start_on
            ]
            if earlier:
                row = self.tables.billed[max(earlier)]
                predecessors[tenant_id, agreement_id, start_on] = Predecessor(
                    row.end_on,
                    row.unbilled is not None or row.invoiced_revision == row.revision,
                    row.state,
                )
        return predecessors

    async def fetch_live_invoices(self, read, keys):
        """The live invoice of each period that has one."""
        rows = {key: self.tables.billed[key] for key in keys if key in self.tables.billed}
        return {
            key: LiveInvoice(row.invoiced_revision, row.restatement)
            for key, row in rows.items()
            if row.invoiced_revision is not None
        }

    async def update_invoiced(self, tx, billed_periods):
        """The newest revision of these periods has its invoice."""
        for billed in billed_periods:
            row = self.tables.billed[billed.key]
            row.invoiced_revision, row.restatement = row.revision, billed.restatement
            row.state = billed.state_after

    async def withdraw(self, tx, keys):
        """Nothing is billed of these periods."""
        for key in keys:
            row = self.tables.billed[key]
            row.unbilled, row.invoiced_revision = "withdrawn", None

    async def update_states(self, tx, billed_periods):
        """What these periods carry forward has changed."""
        for billed in billed_periods:
            self.tables.billed[billed.key].state = billed.state_after


class HeldPeriods(Store):
    """As `store.held_periods`."""

    async def upsert_held(self, tx, held_periods, now, *, due=False):
        """Hold periods, in place of what was held of an older revision."""
        for held in held_periods:
            old = self.tables.held.get(held.closed.key)
            held_at = now if old is None else old.held_at
            self.tables.held[held.closed.key] = HeldRow(held, held_at, due)

    async def delete_held(self, tx, keys):
        """These periods are not held any more."""
        for key in keys:
            self.tables.held.pop(key, None)

    async def fetch_due(self, tx, periods_max):
        """Held periods that are due: the earliest first, then the longest held."""
        due = [(key[2], row.held_at, key) for key, row in self.tables.held.items() if row.due]
        return [key for _, _, key in sorted(due)[:periods_max]]

    async def lock_due(self, tx, keys):
        """Those of these held periods that are still due."""
        rows = [self.tables.held[key] for key in keys if key in self.tables.held]
        return [row.held.closed for row in rows if row.due]

    async def mark_due_by_tariff(self, tx, versions):
        """Retry what is held of agreements on the tariffs of these versions."""
        tariffs = {(key[0], self.tables.versions[key].tariff_id) for key in versions}

        def concerns(key):
            agreement = self.tables.agreements.get(key[:2])
            return agreement is not None and (key[0], agreement.tariff_id) in tariffs

        self._mark(concerns)

    async def mark_due_by_meter(self, tx, meters):
        """Retry what is held of these meters."""
        held = self.tables.held
        self._mark(lambda key: (key[0], held[key].held.closed.meter_id) in meters)

    async def mark_due_by_agreement(self, tx, agreements):
        """Retry what is held of these agreements."""
        self._mark(lambda key: key[:2] in agreements)

    async def mark_due_by_prices(self, tx, days):
        """Retry what is held for its prices around these days."""
        windows = defaultdict(list)
        for tenant_id, day in days:
            windows[tenant_id].append(day)
        for key, row in self.tables.held.items():
            window, period = windows.get(key[0]), row.held.closed.period
            if window and row.held.reason.startswith("prices_"):
                first, last = min(window) - ONE_DAY, max(window) + ONE_DAY
                row.due |= period.start_on <= last and period.end_on > first

    async def mark_due(self, tx, keys):
        """Retry these periods, where they are held."""
        self._mark(lambda key: key in keys)

    def _mark(self, concerns):
        for key, row in self.tables.held.items():
            row.due |= concerns(key)


class Invoices(Store):
    """As `store.invoices`."""

    async def insert_invoices(self, tx, invoices):
        """Store invoices, each once."""
        for invoice in invoices:
            assert (invoice.tenant_id, invoice.id) not in self.tables.invoices
            self.tables.invoices[invoice.tenant_id, invoice.id] = invoice

    async def insert_lines(self, tx, lines):
        """Store the lines of invoices."""
        self.tables.lines |= lines

    async def fetch_invoices(self, read, keys):
        """The invoices of these tenants and ids, with their lines."""
        return {
            key: replace(self.tables.invoices[key], lines=list(self.tables.lines[key]))
            for key in keys
        }


class Evidence(Store):
    """As `store.evidence`."""

    async def insert_evidence(self, tx, billed_periods):
        """Store what invoices were computed from."""
        self.tables.evidence |= {billed.invoice_key: billed for billed in billed_periods}

    async def fetch_successors(self, read, invoices):
        """What these live invoices were computed with; not those that are behind a revision."""
        successors = {}
        for key, invoice_id in invoices.items():
            row, billed = self.tables.billed[key], self.tables.evidence[key[0], invoice_id]
            if row.invoiced_revision == row.revision:
                successors[key] = Successor(billed.state_before, billed.state_after, row.state)
        return successors

    async def fetch_closed_periods(self, read, invoices, correlation_ids):
        """The periods as they were closed for these invoices."""
        return [
            replace(
                self.tables.evidence[key[0], invoice_id].closed,
                correlation_id=correlation_ids[key],
            )
            for key, invoice_id in invoices.items()
        ]


class CreditNotes(Store):
    """As `store.credit_notes`."""

    async def insert_credit_notes(self, tx, notes):
        """Store credit notes."""
        self.tables.credit_notes += notes

    async def fetch_cancelled(self, read, invoices):
        """Those of these invoices that a credit note has cancelled."""
        whole = [note for note in self.tables.credit_notes if note.extent != "part"]
        return {(note.tenant_id, note.invoice_id) for note in whole}.intersection(invoices)

    async def fetch_credited_parts(self, read, invoices):
        """What credit notes of parts have credited of these invoices' lines, by position."""
        credited = defaultdict(dict)
        for note in self.tables.credit_notes:
            key = note.tenant_id, note.invoice_id
            if note.extent == "part" and key in invoices:
                for position, line in zip(note.positions, note.lines, strict=True):
                    amount, quantity = credited[key].get(position, (Decimal(0), Decimal(0)))
                    credited[key][position] = CreditedPart(
                        amount + line.amount, quantity + line.quantity
                    )
        return credited


class GivenCredits(Store):
    """As `store.given_credits`, where nothing is credited by hand."""

    async def fetch_given_credits(self, read, keys):
        """None."""
        return {}


class AdoptedInvoices(Store):
    """As `store.adopted_invoices`, where nothing was ever restored."""

    async def fetch_adopted(self, tx, keys):
        """None."""
        return {}


class CollectiveMembers(Store):
    """As `store.collective_members`, where every period has an invoice of its own."""

    async def fetch_terms(self, read, customers):
        """Nobody shares an invoice."""
        return {customer: CollectiveTerms("single", 0, None) for customer in customers}

    async def upsert_members(self, tx, members):
        """None."""
        assert not members


class Numbers(Store):
    """As `store.numbers`."""

    async def take_numbers(self, tx, series, tenants):
        """The next number of the series for each of the tenants."""
        taken = []
        for tenant_id in tenants:
            self.tables.issued[tenant_id, series] += 1
            taken.append(numbered(series, self.tables.issued[tenant_id, series]))
        return taken


class Outbox(Store):
    """As `messaging.enqueue`."""

    async def enqueue(self, tx, messages):
        """Put messages into the outbox."""
        self.tables.outbox += messages
