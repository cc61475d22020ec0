"""Billing's settings: those that every service has."""

from serving.settings import ServiceSettings


class Settings(ServiceSettings):
    """What billing is told by its environment."""
