"""What the console reads from its environment."""

import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AnyHttpUrl, DirectoryPath, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from gridtally.console.documentation import FIRST_PAGE
from gridtally.service.https import HttpsSettings, PeerSettings

SECRET_CHARS_MIN = 32


def _strong(value: SecretStr) -> SecretStr:
    for secret in value.get_secret_value().split(","):
        if len(secret) < SECRET_CHARS_MIN:
            raise ValueError(f"each secret needs at least {SECRET_CHARS_MIN} characters")
    return value


def _built(directory: Path) -> Path:
    if not (directory / FIRST_PAGE).is_file():
        raise ValueError(f"there is no {FIRST_PAGE}: `make site` builds the documentation site")
    return directory.resolve()


def _fresh_secret() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(SECRET_CHARS_MIN))


class Settings(HttpsSettings, PeerSettings):
    """Where the services are, and how sessions are kept."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    ingest_url: AnyHttpUrl
    tariff_url: AnyHttpUrl
    billing_url: AnyHttpUrl
    ledger_url: AnyHttpUrl
    simulation_url: AnyHttpUrl
    console_secrets: Annotated[SecretStr, AfterValidator(_strong)] = Field(
        default_factory=_fresh_secret
    )
    """Comma-separated; the first encrypts sessions, all decrypt them. Without it one is made at the
    start, so that a restart signs everybody out."""
    public_url: AnyHttpUrl | None = None
    """Where browsers reach the console. With https the cookie is `__Host-gt`, and Secure."""
    ticket_limit_s: int = Field(default=300, ge=10, le=86_400)
    """How long a sign-in link can be used, once."""
    portal_link_limit_s: int = Field(default=7 * 86_400, ge=60, le=90 * 86_400)
    """How long a customer's link opens the portal, as often as he follows it."""
    documentation_dir: Annotated[DirectoryPath, AfterValidator(_built)] | None = None
    """The documentation site that `make site` has built; without it none is served."""
    upstream_limit_s: float = Field(default=3.0, gt=0, le=60)
    """How long a page waits for a service; what did not come is a panel that says so."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65_535)
    health_port: int | None = Field(default=None, ge=0, le=65_535)
    """Where health and metrics answer, and only there; without it they are on `http_port`."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    shutdown_timeout_s: float = Field(default=20, gt=0, le=600)

    @property
    def urls(self) -> dict[str, str]:
        """Where each service answers, by its name."""
        urls = {
            "ingest": self.ingest_url,
            "tariff": self.tariff_url,
            "billing": self.billing_url,
            "ledger": self.ledger_url,
            "simulation": self.simulation_url,
        }
        return {service: str(url).rstrip("/") for service, url in urls.items()}

    @property
    def is_behind_tls(self) -> bool:
        """Whether browsers reach the console by https."""
        behind = self.public_url is not None and self.public_url.scheme == "https"
        return behind or self.https_certificate_file is not None
