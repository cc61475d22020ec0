"""Billing's settings: those that every service has."""

from pydantic import Field

from serving.settings import ServiceSettings


class Settings(ServiceSettings):
    """What billing reads from its environment.

    Its consumers, loops and relay may each hold a connection, so the API gets as many beside them.
    """

    pool_connections_max: int = Field(default=20, ge=1, le=200)
