"""Tokens that say to the broker who a process is: OAuth's client credentials (RFC 6749, section
4.4), shown by SASL's OAUTHBEARER (RFC 7628).

Owns asking for a token, and asking anew before it ends. A token is never written anywhere.
"""

import ipaddress
import time
from functools import cache
from urllib.parse import urlsplit

import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError
from pydantic import BaseModel, ValidationError

LIMIT_S = 10.0
RENEWED_AFTER = 0.8
"""Of a token's life; the rest of it is left for those who have begun with it."""


class _Granted(BaseModel):
    access_token: str
    expires_in: float = 300.0


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is untyped
    """Asks `url` for tokens as a client with an id and a secret, for a scope or for what the client
    has anyway."""

    def __init__(self, url: str, client_id: str, secret: str, scope: str | None) -> None:
        self._url, self._scope = url, scope
        self._client = (client_id, secret)
        self._token, self._renewed_at_s, self._ends_at_s = "", 0.0, 0.0

    async def token(self) -> str:
        """A token that has not ended; KafkaConnectionError, which clients retry, where none is to
        be had."""
        asked_at_s = time.monotonic()
        if asked_at_s < self._renewed_at_s:
            return self._token
        try:
            granted = await self._ask()
        except KafkaConnectionError:
            if time.monotonic() < self._ends_at_s:
                return self._token  # so who gives tokens may be away for a while
            raise
        self._token = granted.access_token
        self._renewed_at_s = asked_at_s + RENEWED_AFTER * granted.expires_in
        self._ends_at_s = asked_at_s + granted.expires_in
        return self._token

    async def _ask(self) -> _Granted:
        form = {"grant_type": "client_credentials"}
        if self._scope is not None:
            form["scope"] = self._scope
        try:
            async with httpx.AsyncClient(timeout=LIMIT_S) as client:
                answer = await client.post(self._url, data=form, auth=self._client)
        except httpx.HTTPError as failure:
            raise KafkaConnectionError(f"no token of {self._url}: {failure!r}") from failure
        if answer.status_code != httpx.codes.OK:
            raise KafkaConnectionError(f"no token of {self._url}: it answers {answer.status_code}")
        try:
            return _Granted.model_validate_json(answer.content)
        except ValidationError:
            raise KafkaConnectionError(f"what {self._url} answers is no token") from None


@cache
def client_credentials(
    url: str, client_id: str, secret: str, scope: str | None
) -> ClientCredentials:
    """The one that all clients of a process share."""
    return ClientCredentials(url, client_id, secret, scope)


def require_private(url: str) -> None:
    """ValueError for a URL to which the secret would be sent unencrypted through a network."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return
    raise ValueError("the URL of tokens must begin with https://, since the secret goes there")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
