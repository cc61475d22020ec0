"""What simulation reads from its environment."""

from pydantic import Field, SecretStr

from gridtally.service.https import PeerSettings
from gridtally.service.settings import ServiceSettings


class Settings(ServiceSettings, PeerSettings):
    """Simulation's own settings, beside those of every service."""

    ingest_url: str = "http://127.0.0.1:8001"
    """Where ingest answers: runs of stored readings read them there, in bulk."""
    tariff_url: str = "http://127.0.0.1:8002"
    """Where tariff answers: a `TARIFF` policy's version is read there when its run is started."""
    service_token: SecretStr | None = None
    """Shown to both, who know its SHA-256 as `SERVICE_TOKEN_SHA256`. Without it only generated
    readings and policies that are no tariffs can be simulated."""
    stalled_after_s: float = Field(default=3600, gt=0)
    """A run of which nothing has been done for so long fails."""
