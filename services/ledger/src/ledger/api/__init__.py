"""The ledger's HTTP API; it holds no rules, only their form on the wire."""

from fastapi import APIRouter

from ledger.api import accounts, analytics, exporting, meters, properties, readings, transactions, users

ROUTERS: tuple[APIRouter, ...] = (
    properties.router,
    meters.router,
    users.router,
    exporting.router,
    readings.router,
    analytics.router,
    accounts.router,
    transactions.router,
)
