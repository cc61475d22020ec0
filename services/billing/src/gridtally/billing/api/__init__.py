"""Billing's HTTP endpoints."""

from gridtally.billing.api import (
    agreements,
    calculated_bills,
    corrections,
    customers,
    daily_costs,
    documents,
    erasures,
    explanations,
    fleet_costs,
    held_periods,
    invoices,
    previews,
    proofs,
    reconciliation,
    seller,
    webhooks,
)

ROUTERS = (
    customers.router,
    erasures.router,
    agreements.router,
    invoices.router,
    explanations.router,
    proofs.router,
    documents.router,
    seller.router,
    webhooks.router,
    held_periods.router,
    daily_costs.router,
    fleet_costs.router,
    calculated_bills.router,
    previews.router,
    corrections.router,
    reconciliation.router,
)
