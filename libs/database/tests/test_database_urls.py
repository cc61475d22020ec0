"""URLs of databases as managed ones hand them out."""

import pytest

from gridtally.database.engine import engine_of
from gridtally.database.urls import checked_url

PLAIN = "postgresql://ledger:s%40cret@db.example:5432/ledger"


@pytest.mark.parametrize(
    ("url", "read"),
    [
        (PLAIN, PLAIN),
        ("postgres://a:b@h/d", "postgres://a:b@h/d"),
        (f"{PLAIN}?sslmode=require", f"{PLAIN}?sslmode=require"),
        (f"{PLAIN}?sslmode=verify-full&connect_timeout=10", f"{PLAIN}?sslmode=verify-full"),
        (f"{PLAIN}?channel_binding=prefer&application_name=x", PLAIN),
        (
            "postgresql://a:b@one:5432,two:5433/d?target_session_attrs=read-write",
            "postgresql://a:b@one:5432,two:5433/d?target_session_attrs=read-write",
        ),
        ("postgresql://a:p/s#w?rd%@h:5432/d", "postgresql://a:p%2Fs%23w%3Frd%25@h:5432/d"),
        ("postgresql://a:p?x@h/d?sslmode=require", "postgresql://a:p%3Fx@h/d?sslmode=require"),
        ("postgresql://a@h/d", "postgresql://a@h/d"),
        ("postgresql:///d?user=a%40b", "postgresql:///d?user=a%40b"),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=%2Frun%2Fpostgresql"),
        (f"{PLAIN}?options=-c%20work_mem%3D8MB", f"{PLAIN}?options=-c+work_mem%3D8MB"),
    ],
)
def test_what_asyncpg_reads_is_handed_on_and_the_rest_is_ours(url, read):
    assert checked_url(url) == read
    engine_of(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://a:secret@h/d", "must begin with postgresql://"),
        ("secret", "must begin with postgresql://"),
        (f"{PLAIN}?ssl_mode=require", "not known: ssl_mode"),
        (f"{PLAIN}?sslmode=on", "sslmode is 'on', and none of disable, allow, prefer, require"),
        (f"{PLAIN}?sslmode=require&channel_binding=require", "channel binding cannot be had"),
        (
            f"{PLAIN}?sslrootcert=/nowhere/ca.pem",
            "sslrootcert names '/nowhere/ca.pem'",
        ),
    ],
)
def test_a_slip_is_said_without_the_password(url, reason):
    with pytest.raises(ValueError, match=reason) as refused:
        checked_url(url)
    assert "cret" not in str(refused.value)
