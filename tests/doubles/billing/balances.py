"""Billing's store of customers' balances in memory."""

from doubles.billing.store import Store
from gridtally.billing.domain.customers import CustomerBalance


class Balances(Store):
    """As `store.balances`."""

    async def upsert_balances(self, tx, changed):
        """The newest balances of each customer."""
        for (tenant_id, customer_id), event in changed.items():
            for balance in event.balances:
                key = tenant_id, customer_id, balance.currency
                if key not in self.tables.balances or self.tables.balances[key][1] < event.version:
                    known = CustomerBalance(
                        balance.balance, balance.arrears, balance.invoiced_total
                    )
                    self.tables.balances[key] = known, event.version

    async def add_issued(self, tx, issues):
        """Add these invoices to what each customer was issued; the sums before."""
        totals = self.tables.issued_totals
        before = {issue.key: totals[issue.key] for issue in issues}
        for issue in issues:
            totals[issue.key] += issue.change
        return before

    async def fetch_balances(self, read, customers):
        """What is known of these customers' balances."""
        return {
            key: balance
            for key, (balance, _) in self.tables.balances.items()
            if key[:2] in customers
        }

    async def fetch_arrears_shown(self, read, keys, since):
        """Those of whom a live invoice issued since then names arrears."""
        void = {note.invoice_id for note in self.tables.credit_notes}
        return {
            key
            for key in keys
            for invoice in self.tables.invoices.values()
            if (invoice.tenant_id, invoice.customer_id, invoice.currency) == key
            and invoice.issued_at >= since
            and invoice.arrears > 0
            and invoice.id not in void
        }
