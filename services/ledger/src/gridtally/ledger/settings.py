"""What the ledger is told by its environment."""

from gridtally.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing beyond what every service needs."""
