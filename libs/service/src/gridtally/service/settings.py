"""Settings: what the environment of a service process sets, checked once at the start.

The only reader of the environment, with `BrokerSettings`. Each service subclasses
`ServiceSettings` with fields of its own; a field `pool_connections_max` is the variable
`POOL_CONNECTIONS_MAX`. Secrets are `SecretStr`, so that printing the settings shows none.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from gridtally.database.urls import checked_url
from gridtally.http.idempotency import RETENTION_HOURS
from gridtally.http.key_quota import BYTES_MAX, KEYS_MAX
from gridtally.messaging.broker_settings import BrokerSettings, InvalidSettings, load
from gridtally.service.https import HttpsSettings

__all__ = ["InvalidSettings", "ServiceSettings", "describe_settings", "load"]


def _is_postgresql(url: SecretStr) -> SecretStr:
    checked_url(url.get_secret_value())
    return url


class ServiceSettings(BrokerSettings, HttpsSettings):
    """What every service needs to know."""

    database_url: Annotated[SecretStr, AfterValidator(_is_postgresql)]
    kafka_idempotence: bool = True
    """False for a broker that refuses idempotent producers, such as the local stand-in Tansu."""
    kafka_replicas: int = Field(default=1, ge=1, le=9)
    """Of the topics that this process creates where they are missing."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65_535)
    """0 takes a free port, which the `ready` line names."""
    health_port: int | None = Field(default=None, ge=0, le=65_535)
    """Where health and metrics answer, and only there; without it they are on `http_port`. 0 takes
    a free port, which the `ready` line names. It speaks http in any case."""
    operator_token_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Without it nobody can make or revoke API keys."""
    service_token_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Of the token with which our own services read here for a tenant; without it none may."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    pool_connections_max: int = Field(default=10, ge=1, le=200)
    shutdown_timeout_s: float = Field(default=20, gt=0, le=600)
    body_bytes_max: int = Field(default=16 * 1024 * 1024, ge=1024)
    """The most that a request's body may hold once decompressed."""
    bodies_bytes_max: int = Field(default=96 * 1024 * 1024, ge=1024)
    """The most memory that all bodies at hand may take together, once taken apart. What comes
    beyond is answered 503, to be sent again."""
    export_scratch_bytes_max: int = Field(default=4 * 1024**3, ge=1024 * 1024)
    """The most that the exports under way may hold on disk together, in `TMPDIR`."""
    disks_watched: str = Field(default="/", min_length=1)
    """Paths, with colons between them, of whose file systems the metrics say how full they are."""
    rate_limit_per_s: float = Field(default=1_000, gt=0)
    """Points per second that one API key may spend for long (a read costs one, see
    `gridtally.http.costs`); it may save up ten seconds' worth."""
    tenant_rate_limit_per_s: float = Field(default=2_000, gt=0)
    """The same of all keys of a tenant together."""
    calculations_of_tenant_max: int = Field(default=16, ge=1, le=1_000)
    """The most calculations (quotes, previews, documents) of a tenant that are at work at once."""
    dead_letter_days: int = Field(default=90, ge=1, le=3_650)
    """How long a dead letter is stored, resolved or not."""
    dead_letters_max: int = Field(default=10_000, ge=1, le=1_000_000)
    """The most dead letters of one tenant that nobody has resolved yet; further ones are dropped
    and counted."""
    dead_letter_bytes_max: int = Field(default=256 * 1024 * 1024, ge=1024)
    """The most that the values of these may hold together."""
    idempotency_key_hours: int = Field(default=RETENTION_HOURS, ge=1, le=24 * 90)
    """How long the answer to an Idempotency-Key is stored; then the key is free again."""
    idempotency_keys_max: int = Field(default=KEYS_MAX, ge=1)
    """The most such answers that are stored of one tenant; further keys are refused."""
    idempotency_key_bytes_max: int = Field(default=BYTES_MAX, ge=1024)
    """The most that their bodies may hold together."""
    key_cache_ttl_s: float = Field(default=5, ge=0, le=300)
    """How long a revoked API key may still be let in."""


def describe_settings(settings: ServiceSettings) -> list[str]:
    """The effective settings as `NAME=value` lines, secrets masked."""
    return [f"{name.upper()}={value}" for name, value in settings.model_dump().items()]
