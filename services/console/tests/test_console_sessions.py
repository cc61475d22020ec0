"""Sessions and tickets: what opens, for how long, and what never does."""

from datetime import UTC, datetime, timedelta

import pytest

from gridtally.console.sessions import Sessions

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEY = "gt_abcdefgh12_" + "s" * 43


def make(*secrets, ticket_limit_s=300, link_limit_s=604_800):
    return Sessions(
        secrets or ("a" * 32,), ticket_limit_s=ticket_limit_s, link_limit_s=link_limit_s
    )


def begin(sessions, now=NOW):
    return sessions.begin(
        key=KEY, key_id="abcdefgh12", tenant_id="t", scopes=["billing:read"], now=now
    )


def test_a_cookie_opens_as_the_session_that_it_was():
    sessions = make()
    session = begin(sessions)
    opened = sessions.open(sessions.seal(session, NOW), NOW)
    assert opened == session
    assert opened.may("billing:read")
    assert not opened.may("billing:write")


def test_neither_cookie_nor_ticket_nor_repr_shows_the_key():
    sessions = make()
    session = begin(sessions)
    for text in (sessions.seal(session, NOW), sessions.ticket(KEY, NOW), repr(session)):
        assert KEY[:13] not in text  # `gt_` alone is in one of some thousand by chance
        assert "s" * 8 not in text


@pytest.mark.parametrize(
    ("began", "seen", "opens"),
    [
        (timedelta(0), timedelta(0), True),
        (timedelta(minutes=29), timedelta(minutes=29), True),
        (timedelta(minutes=31), timedelta(minutes=31), False),  # idle for too long
        (timedelta(hours=7, minutes=59), timedelta(minutes=1), True),
        (timedelta(hours=8), timedelta(minutes=1), False),  # whatever it does, eight hours
    ],
)
def test_a_session_ends_by_age_and_by_idleness(began, seen, opens):
    sessions = make()
    token = sessions.seal(begin(sessions, NOW - began), NOW - seen)
    assert (sessions.open(token, NOW) is not None) is opens


def test_who_signed_out_stays_out():
    sessions = make()
    session = begin(sessions)
    token = sessions.seal(session, NOW)
    sessions.forget(session)
    assert sessions.open(token, NOW) is None


def test_a_tampered_foreign_or_garbled_cookie_opens_nothing():
    sessions = make()
    token = sessions.seal(begin(sessions), NOW)
    other = make("b" * 32).seal(begin(sessions), NOW)
    flipped = ("A" if token[0] != "A" else "B") + token[1:]
    for text in ("", "x", "é", "=", "a" * 5000, flipped, token[:-8], other):
        assert sessions.open(text, NOW) is None


def test_a_cookie_is_no_ticket_and_a_ticket_no_cookie():
    sessions = make()
    assert sessions.redeem(sessions.seal(begin(sessions), NOW), NOW) is None
    assert sessions.open(sessions.ticket(KEY, NOW), NOW) is None


def test_a_portal_link_is_neither_a_cookie_nor_a_ticket_nor_these_a_link():
    sessions = make()
    link, _ = sessions.link(KEY, "c1", NOW)
    assert "gt_" not in link
    assert sessions.open(link, NOW) is None
    assert sessions.redeem(link, NOW) is None
    assert sessions.follow(sessions.ticket(KEY, NOW), NOW) is None
    assert sessions.follow(sessions.seal(begin(sessions), NOW), NOW) is None
    for text in ("", "x", "é", link[:-8], make("b" * 32).link(KEY, "c1", NOW)[0]):
        assert sessions.follow(text, NOW) is None


def test_a_portal_link_opens_one_customer_as_often_as_followed_until_it_expires():
    sessions = make(link_limit_s=600)
    link, expires_at = sessions.link(KEY, "c1", NOW)
    assert expires_at == NOW + timedelta(minutes=10)
    for at in (NOW, NOW, expires_at - timedelta(seconds=1)):
        assert sessions.follow(link, at) == (KEY, "c1")
    assert sessions.follow(link, expires_at) is None


def test_a_customers_session_stays_his():
    sessions = make()
    session = sessions.begin(
        key=KEY, key_id="k", tenant_id="t", scopes=[], now=NOW, customer_id="c1", language="sv"
    )
    opened = sessions.open(sessions.seal(session, NOW), NOW)
    assert (opened.customer_id, opened.language) == ("c1", "sv")
    assert begin(sessions).customer_id is None


def test_a_new_secret_in_front_still_opens_what_the_old_one_sealed():
    token = make("a" * 32).seal(begin(make()), NOW)
    assert make("n" * 32, "a" * 32).open(token, NOW) is not None
    assert make("n" * 32).open(token, NOW) is None


def test_a_ticket_signs_in_once_and_soon():
    sessions = make()
    ticket = sessions.ticket(KEY, NOW)
    assert sessions.redeem(ticket, NOW + timedelta(seconds=299)) == KEY
    assert sessions.redeem(ticket, NOW + timedelta(seconds=299)) is None
    late = sessions.ticket(KEY, NOW)
    assert sessions.redeem(late, NOW + timedelta(seconds=300)) is None
