"""Billing's settings: those that every service has, and what webhooks may do."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from gridtally.service.settings import ServiceSettings
from gridtally.webhooks.addresses import networks


def _is_networks(text: str) -> str:
    networks(text)
    return text


class Settings(ServiceSettings):
    """What billing reads from its environment.

    Its consumers, loops and relay may each hold a connection, so the API gets as many beside them.
    """

    pool_connections_max: int = Field(default=20, ge=1, le=200)
    webhook_secret_key: SecretStr | None = Field(default=None, min_length=32)
    """What the secrets of webhook endpoints are made from; without it there are no webhooks."""
    webhook_networks_allowed: Annotated[str, AfterValidator(_is_networks)] = ""
    """Networks in CIDR form, with commas between them, that webhooks may reach although they are
    not public, also by http and on any port."""
