"""The ledger's HTTP API; it holds no rules, only their form on the wire."""

from fastapi import APIRouter

from ledger.api import (
    accounts,
    analytics,
    chain,
    exporting,
    invoices,
    meters,
    properties,
    readings,
    settling,
    statements,
    transactions,
    users,
)

ROUTERS: tuple[APIRouter, ...] = (
    properties.router,
    meters.router,
    users.router,
    exporting.router,
    readings.router,
    analytics.router,
    accounts.router,
    statements.router,
    invoices.router,
    transactions.router,
    settling.router,
    chain.router,
)
