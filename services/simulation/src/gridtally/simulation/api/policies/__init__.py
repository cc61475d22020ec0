"""`/v1/simulation-policies`: policies under a name, and the form of a policy in JSON."""

from gridtally.simulation.api.policies.models import AnyPolicy
from gridtally.simulation.api.policies.routes import router

__all__ = ["AnyPolicy", "router"]
