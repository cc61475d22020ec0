"""The ledger's HTTP API; it holds no rules, only their form on the wire."""

from fastapi import APIRouter

from ledger.api import accounts, meters, properties, transactions, users

ROUTERS: tuple[APIRouter, ...] = (
    properties.router,
    meters.router,
    users.router,
    accounts.router,
    transactions.router,
)
