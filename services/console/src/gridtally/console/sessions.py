"""Sessions: who is signed in, kept by the browser alone, in an encrypted cookie.

Owns the form of the cookie, the ticket and the portal link: AES-256-GCM of the API key and what it
may do, each under a purpose of its own, so that none is ever taken for another. There is no table
of sessions, so any number of processes serve the same browsers, and a restart with the same secret
signs nobody out. Refuses what is too old, idle for too long, signed out in this process or not of
our making, all in the same way: there is no session.
"""

import base64
import binascii
import dataclasses
import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SESSION_LIMIT = timedelta(hours=8)
IDLE_LIMIT = timedelta(minutes=30)
RENEW_AFTER = timedelta(minutes=5)
"""A cookie is written again when the last was written so long ago, not at each request."""
NONCE_BYTES = 12
FORGOTTEN_MAX = 100_000
SESSION, TICKET, LINK = b"gridtally session", b"gridtally ticket", b"gridtally portal link"
MOMENTS = ("began_at", "seen_at")


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `key` is a secret: it goes to the services, and nowhere else.

    One of a customer has his id, and sees the portal alone; one of staff has none.
    """

    session_id: str
    tenant_id: str
    key_id: str
    key: str = field(repr=False)
    scopes: tuple[str, ...]
    began_at: datetime
    seen_at: datetime
    customer_id: str | None = None
    language: str | None = None
    """The customer's, as far as it is known."""

    def may(self, scope: str) -> bool:
        """Whether to offer what needs this scope; the service decides."""
        return scope in self.scopes


class Sessions:
    """Makes sessions and reads them back; forgets those that have signed out."""

    def __init__(
        self, secret_texts: Sequence[str], *, ticket_limit_s: int, link_limit_s: int
    ) -> None:
        self._ciphers = [AESGCM(hashlib.sha256(text.encode()).digest()) for text in secret_texts]
        self._ticket_limit = timedelta(seconds=ticket_limit_s)
        self._link_limit = timedelta(seconds=link_limit_s)
        self._gone: OrderedDict[str, None] = OrderedDict()

    def begin(
        self,
        *,
        key: str,
        key_id: str,
        tenant_id: str,
        scopes: Sequence[str],
        now: datetime,
        customer_id: str | None = None,
        language: str | None = None,
    ) -> Session:
        """A new session of a key that a service has accepted; of a customer with an id."""
        session_id = secrets.token_urlsafe(16)
        return Session(
            session_id, tenant_id, key_id, key, tuple(scopes), now, now, customer_id, language
        )

    def seal(self, session: Session, now: datetime) -> str:
        """The session as the cookie's value, seen now."""
        return self._encrypt(_as_bytes(dataclasses.replace(session, seen_at=now)), SESSION)

    def open(self, token: str, now: datetime) -> Session | None:
        """The session of a cookie; None where it is none, too old, idle, or signed out."""
        content = self._decrypt(token, SESSION)
        if content is None:
            return None
        session = _from_bytes(content)
        if session.session_id in self._gone:
            return None
        in_time = now - session.began_at < SESSION_LIMIT and now - session.seen_at < IDLE_LIMIT
        return session if in_time else None

    def needs_renewal(self, session: Session, now: datetime) -> bool:
        """Whether its cookie should be written again."""
        return now - session.seen_at >= RENEW_AFTER

    def forget(self, session: Session) -> None:
        """Sign out: the cookie opens nothing in this process any more."""
        self._spend(session.session_id)

    def ticket(self, key: str, now: datetime) -> str:
        """A text that signs in with a key, once, for as long as tickets are good."""
        return self._encrypt(f"{int(now.timestamp())} {key}".encode(), TICKET)

    def redeem(self, ticket: str, now: datetime) -> str | None:
        """The key that a ticket stands for, the first time; None ever after."""
        content = self._decrypt(ticket, TICKET)
        if content is None or ticket in self._gone:
            return None
        self._spend(ticket)
        made_s, _, key = content.decode().partition(" ")
        age = now - datetime.fromtimestamp(int(made_s), UTC)
        return key if age < self._ticket_limit else None

    def link(self, key: str, customer_id: str, now: datetime) -> tuple[str, datetime]:
        """A text that opens the portal of a customer, as often as he likes until it expires."""
        expires_at = now.replace(microsecond=0) + self._link_limit
        content = f"{int(expires_at.timestamp())} {customer_id} {key}"
        return self._encrypt(content.encode(), LINK), expires_at

    def follow(self, link: str, now: datetime) -> tuple[str, str] | None:
        """The key and the customer that a portal link stands for, while it is good."""
        content = self._decrypt(link, LINK)
        if content is None:
            return None
        expires_s, customer_id, key = content.decode().split(" ", 2)
        is_good = now < datetime.fromtimestamp(int(expires_s), UTC)
        return (key, customer_id) if is_good else None

    def _spend(self, session_id: str) -> None:
        self._gone[session_id] = None
        if len(self._gone) > FORGOTTEN_MAX:
            self._gone.popitem(last=False)

    def _encrypt(self, content: bytes, purpose: bytes) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(nonce, content, purpose)
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def _decrypt(self, token: str, purpose: bytes) -> bytes | None:
        try:
            data = base64.urlsafe_b64decode(token.encode() + b"==")
        except (binascii.Error, UnicodeEncodeError):
            return None
        for cipher in self._ciphers:
            with suppress(InvalidTag, ValueError):
                return cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], purpose)
        return None


def _as_bytes(session: Session) -> bytes:
    content = dataclasses.asdict(session)
    content |= {name: content[name].isoformat() for name in MOMENTS}
    return json.dumps(content).encode()


def _from_bytes(text: bytes) -> Session:
    content = json.loads(text)
    content |= {name: datetime.fromisoformat(content[name]) for name in MOMENTS}
    return Session(**content | {"scopes": tuple(content["scopes"])})
