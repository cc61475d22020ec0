"""What the tariff service is told by its environment."""

from serving.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing beyond what every service needs."""
