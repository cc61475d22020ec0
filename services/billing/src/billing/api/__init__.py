"""Billing's HTTP endpoints. The clock enters here."""

from billing.api import agreements, customers, invoices, reconciliation, rollups

ROUTERS = (
    customers.router,
    agreements.router,
    invoices.router,
    rollups.router,
    reconciliation.router,
)
