"""Webhooks: when a message is tried again, when an endpoint is given up, and its secrets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gridtally.billing.domain.webhooks import (
    SCHEDULE_S,
    DueMessage,
    Endpoint,
    attempt_of,
    outcomes_of_endpoints,
    secrets_of,
)
from gridtally.billing.handlers.webhooks import check_url
from gridtally.kernel.errors import Rejected

NOW = datetime(2025, 5, 1, 12, tzinfo=UTC)


def endpoint(**changes):
    return Endpoint(UUID(int=7), "https://example.org/", (), None, **changes)


def after(attempts, status=500, *, before=0, retry_after_s=None, **changes):
    message = DueMessage("t", UUID(int=2**127 + 1), endpoint(**changes), b"{}", attempts, before)
    return attempt_of(message, status, None, "", 1, retry_after_s, NOW)


def test_pauses_grow_and_end():
    """5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h, at least half of each; the eighth is the last."""
    pauses = [(after(attempts).due_at - NOW).total_seconds() for attempts in range(7)]
    for pause, most in zip(pauses, SCHEDULE_S, strict=True):
        assert most // 2 <= pause <= most
    assert [after(attempts).state for attempts in (0, 6, 7)] == ["pending", "pending", "failed"]
    assert after(7, 204).state == "delivered"
    assert after(9, before=8).state == "pending"  # asked for anew after eight


def test_an_endpoint_may_ask_for_a_longer_pause_of_a_day_at_most():
    assert after(0, 429, retry_after_s=120).due_at == NOW + timedelta(seconds=120)
    assert after(0, 429, retry_after_s=9_999_999).due_at == NOW + timedelta(days=1)


def test_an_endpoint_is_given_up_with_a_reason():
    """At once where it is gone, and after five days in which it took nothing."""
    assert after(0, 410).disabled_reason == "it answered 410: it is gone"
    assert after(0, 500, failing_since=NOW - timedelta(days=5)).disabled_reason is None
    since = NOW - timedelta(days=5, seconds=1)
    assert after(0, None, failing_since=since).disabled_reason == (
        "it took nothing since 2025-04-26 11:59 UTC"
    )
    assert after(0, 200, failing_since=since).disabled_reason is None


def test_secrets_are_an_endpoints_own_and_overlap():
    key = b"k" * 32
    old = secrets_of(key, "t", endpoint(), NOW)
    rotated = endpoint(secret_number=2, earlier_secret_until=NOW + timedelta(seconds=1))
    assert secrets_of(key, "t", rotated, NOW)[1:] == old
    assert len(secrets_of(key, "t", rotated, NOW + timedelta(seconds=1))) == 1
    others = [secrets_of(key, "u", endpoint(), NOW), secrets_of(b"x" * 32, "t", endpoint(), NOW)]
    assert old not in others


WRONG = [
    "http://example.org/", "ftp://example.org/", "https://", "https://:443/", "example.org",
    "https://user:pass@example.org/", "https://example.org/#x", "https://exa mple.org/",
    "https://example.org:99999/", "https://[::1/", "https://exämple.org/", "https://a/\r\nx: y",
]  # fmt: skip


@pytest.mark.parametrize("url", WRONG)
def test_urls_that_lead_nowhere_are_refused(url):
    with pytest.raises(Rejected) as refused:
        check_url(url, is_http_allowed=False)
    assert [fault.path for fault in refused.value.faults] == ["/url"]


def test_http_is_for_those_who_allow_networks():
    check_url("http://127.0.0.1:80/", is_http_allowed=True)
    check_url("https://example.org/hook?x=1", is_http_allowed=False)


def test_the_last_attempts_of_an_endpoint_decide_whether_it_fails():
    failed, took = after(0), after(1, 200)
    assert outcomes_of_endpoints([]) == ([], [])
    assert outcomes_of_endpoints([failed, took]) == ([failed.message.key], [])
    assert outcomes_of_endpoints([took, failed]) == ([failed.message.key], [failed])
    other = replace(failed, message=replace(failed.message, tenant_id="a"))
    assert outcomes_of_endpoints([failed, other, took, failed]) == (
        [failed.message.key],
        [other, failed],
    )
