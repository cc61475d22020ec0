"""The Python client of Gridtally's services: `Client` waits, `AsyncClient` is for event loops."""

from gridtally.client.clients import AsyncClient, Client, NotConfigured
from gridtally.client.downloads import AsyncDownload, Download, ServerEvent
from gridtally.client.problems import (
    ClientError,
    Conflict,
    FieldError,
    InvalidRequest,
    NotAllowed,
    NotFound,
    NotNow,
    Problem,
    ServiceAway,
    UnreadableAnswer,
)
from gridtally.client.retries import Retries
from gridtally.client.untyped import AsyncUntyped
from gridtally.client.webhooks import NotSigned, read_webhook

__all__ = [
    "AsyncClient",
    "AsyncDownload",
    "AsyncUntyped",
    "Client",
    "ClientError",
    "Conflict",
    "Download",
    "FieldError",
    "InvalidRequest",
    "NotAllowed",
    "NotConfigured",
    "NotFound",
    "NotNow",
    "NotSigned",
    "Problem",
    "Retries",
    "ServerEvent",
    "ServiceAway",
    "UnreadableAnswer",
    "read_webhook",
]
