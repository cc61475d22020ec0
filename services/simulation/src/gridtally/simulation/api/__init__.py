"""Simulation's HTTP endpoints."""

from gridtally.simulation.api import house_bills, house_profiles, policies, profiles, runs

ROUTERS = (
    runs.router,
    house_bills.router,
    profiles.router,
    policies.router,
    house_profiles.router,
)
