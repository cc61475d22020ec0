"""The routers of the ledger's features, in the order of the OpenAPI document."""

from fastapi import APIRouter

from gridtally.ledger.accounts.api import (
    accounts,
    balances,
    commands,
    invoices,
    opening_balances,
    payees,
    payment_files,
    payment_plans,
    payments,
    reconciliation,
    reports,
    reversals,
    statements,
    terms,
    transactions,
    unmatched_payments,
)
from gridtally.ledger.audit.api import checkpoints, entries, seals
from gridtally.ledger.metering.analytics.api import (
    computed_readings,
    conservation,
    consumption,
    current_readings,
    definitions,
    exports,
    series,
    statistics,
)
from gridtally.ledger.metering.readings.api import exchanges, readings
from gridtally.ledger.registry.api import meters, properties, tenant_defaults, users

ROUTERS: tuple[APIRouter, ...] = (
    properties.router,
    meters.router,
    tenant_defaults.router,
    users.router,
    exports.router,
    readings.router,
    computed_readings.router,
    exchanges.router,
    current_readings.router,
    consumption.router,
    conservation.router,
    statistics.router,
    series.router,
    definitions.router,
    accounts.router,
    balances.router,
    reports.router,
    reconciliation.router,
    statements.router,
    invoices.router,
    transactions.router,
    payment_files.router,
    payments.router,
    commands.router,
    opening_balances.router,
    payment_plans.router,
    unmatched_payments.router,
    payees.router,
    reversals.router,
    terms.router,
    seals.router,
    checkpoints.router,
    entries.router,
)
