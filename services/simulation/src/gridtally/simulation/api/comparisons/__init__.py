"""`/v1/simulation-comparisons`: what the same houses come to by several policies and tariffs."""

from gridtally.simulation.api.comparisons.houses import router as houses_router
from gridtally.simulation.api.comparisons.results import router as results_router
from gridtally.simulation.api.comparisons.routes import router

__all__ = ["houses_router", "results_router", "router"]
