"""Simulation's HTTP endpoints."""

from gridtally.simulation.api import (
    comparisons,
    house_bills,
    house_profiles,
    policies,
    profiles,
    runs,
)

ROUTERS = (
    runs.router,
    house_bills.router,
    profiles.router,
    comparisons.router,
    comparisons.results_router,
    comparisons.houses_router,
    policies.router,
    house_profiles.router,
)
