"""`/v1/simulation-runs`: houses, a billing month and a policy."""

from gridtally.simulation.api.runs.routes import router

__all__ = ["router"]
