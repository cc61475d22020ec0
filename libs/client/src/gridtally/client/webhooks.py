"""Webhooks as a receiver meets them: only what Gridtally has signed is read."""

from collections.abc import Mapping
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from gridtally.client.problems import ClientError


class NotSigned(ClientError):
    """The message is not of this endpoint, was changed on its way, or is too old."""


def read_webhook(content: bytes, headers: Mapping[str, str], *secrets: str) -> dict[str, Any]:
    """What the message says: `type`, `timestamp` and `data`.

    `content` is the body just as it came, `headers` those of the request, `secrets` the endpoint's
    (`whsec_…`), two of them while it is rotated. NotSigned where none of them signed it, or where
    it was signed more than five minutes ago. A message may come twice under one `webhook-id`.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    refused = "no secret was given"
    for secret in secrets:
        try:
            read: dict[str, Any] = Webhook(secret).verify(content, lower)
        except WebhookVerificationError as failure:
            refused = str(failure)
        else:
            return read
    raise NotSigned(refused)
