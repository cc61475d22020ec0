"""Signatures by Standard Webhooks: HMAC-SHA256 over id, time and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

PREFIX = "whsec_"
VERSION = "v1"
TOLERANCE = timedelta(minutes=5)
"""By how much the time of a message may differ from the receiver's clock."""


class InvalidSignature(Exception):
    """A message that was not sent by whoever has the secret, or not now."""


def secret_text(secret: bytes) -> str:
    """A secret as its receiver keeps it."""
    return PREFIX + base64.b64encode(secret).decode()


def signed_headers(
    secrets: Sequence[bytes], message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The headers of a message, with a signature by each secret: one may take another's place."""
    seconds = str(int(at.timestamp()))
    signatures = " ".join(_signature(secret, message_id, seconds, body) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": signatures,
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """InvalidSignature unless the message, as it was received, is signed with the secret, now."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, seconds = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].split()
        at = datetime.fromtimestamp(int(seconds), UTC)
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (KeyError, ValueError, OverflowError, OSError, binascii.Error):
        raise InvalidSignature("a header of the message, or the secret, is no such thing") from None
    if abs(now - at) > TOLERANCE:
        raise InvalidSignature("the message is older than five minutes, or of the future")
    expected = _signature(key, message_id, seconds, body).encode()
    if not any(hmac.compare_digest(expected, signature.encode()) for signature in signatures):
        raise InvalidSignature("no signature of the message is made with the secret")


def _signature(secret: bytes, message_id: str, seconds: str, body: bytes) -> str:
    signed = f"{message_id}.{seconds}.".encode() + body
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"{VERSION},{base64.b64encode(digest).decode()}"
