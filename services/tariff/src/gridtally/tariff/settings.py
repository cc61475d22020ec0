"""What the tariff service reads from its environment."""

from gridtally.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing beyond what every service needs."""
