"""Only what an endpoint's secret has signed is read."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from gridtally.client import NotSigned, read_webhook

OLD, NEW = "whsec_" + "A" * 32, "whsec_" + "B" * 32
SAID = {"type": "invoice.issued", "timestamp": "2025-01-01T00:00:00Z", "data": {"total": "12.30"}}


def posted(secret, at=None, content=None):
    at = at or datetime.now(UTC)
    content = content or json.dumps(SAID).encode()
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("msg_1", at, content.decode()),
    }, content


def test_a_signed_message_is_read_whichever_secret_is_in_force():
    headers, content = posted(NEW)
    assert read_webhook(content, headers, NEW) == SAID
    assert read_webhook(content, headers, OLD, NEW) == SAID


@pytest.mark.parametrize("secrets", [(), (OLD,)])
def test_another_secret_does_not_read_it(secrets):
    headers, content = posted(NEW)
    with pytest.raises(NotSigned):
        read_webhook(content, headers, *secrets)


def test_what_was_changed_is_old_or_has_no_signature_is_refused():
    headers, content = posted(NEW)
    with pytest.raises(NotSigned):
        read_webhook(content.replace(b"12.30", b"12.31"), headers, NEW)
    with pytest.raises(NotSigned):
        read_webhook(content, {}, NEW)
    headers, content = posted(NEW, datetime.now(UTC) - timedelta(minutes=6))
    with pytest.raises(NotSigned):
        read_webhook(content, headers, NEW)
