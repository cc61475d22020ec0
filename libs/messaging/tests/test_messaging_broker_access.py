"""What aiokafka is told of TLS and SASL, and what does not go together."""

import ssl

import pytest

from certificates import Authority
from gridtally.messaging.broker_access import OPEN, BrokerAccess

AT = "broker:9092"


@pytest.fixture
def ca_file(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_bytes(Authority().certificate)
    return file


def test_without_more_a_broker_is_reached_in_the_open():
    assert OPEN.options(AT) == {"bootstrap_servers": AT, "security_protocol": "PLAINTEXT"}


def test_a_name_and_a_password_over_tls(ca_file):
    access = BrokerAccess("SASL_SSL", "SCRAM-SHA-512", "ledger", "hidden", ca_file)
    options = access.options(AT)
    context = options.pop("ssl_context")
    assert options == {
        "bootstrap_servers": AT, "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": "ledger",
        "sasl_plain_password": "hidden",
    }  # fmt: skip
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1
    assert "hidden" not in repr(access)


def test_a_token_stands_for_the_password():
    named = {"username": "ledger", "password": "hidden", "token_url": "https://id.example/token"}
    access = BrokerAccess("SASL_SSL", "OAUTHBEARER", **named)
    options = access.options(AT)
    assert options["sasl_mechanism"] == "OAUTHBEARER"
    assert options.keys().isdisjoint({"sasl_plain_username", "sasl_plain_password"})
    of_another_client = access.options(AT)["sasl_oauth_token_provider"]
    assert options["sasl_oauth_token_provider"] is of_another_client
    assert "hidden" not in repr(access)


@pytest.mark.parametrize(
    ("url", "is_private"),
    [
        ("https://id.example/token", True),
        ("http://127.0.0.1:8080/token", True),
        ("http://[::1]/token", True),
        ("http://localhost/token", True),
        ("http://id.example/token", False),
        ("http://127.0.0.1.example/token", False),
        ("https:///token", False),
        ("ftp://id.example/token", False),
        ("id.example", False),
        ("", False),
    ],
)
def test_the_secret_is_not_sent_in_the_open(url, is_private):
    def make():
        return BrokerAccess("SASL_SSL", "OAUTHBEARER", "ledger", "hidden", token_url=url)

    if is_private:
        make()
        return
    with pytest.raises(ValueError, match="must begin with https://"):
        make()


def test_a_certificate_of_ones_own(tmp_path, ca_file):
    own = Authority().server()
    certificate, key = tmp_path / "own.pem", tmp_path / "own.key"
    certificate.write_bytes(own.certificate)
    key.write_bytes(own.key)
    access = BrokerAccess("SSL", ca_file=ca_file, certificate=(certificate, key))
    assert "ssl_context" in access.options(AT)
    with pytest.raises(ValueError, match="cannot be used"):
        BrokerAccess("SSL", certificate=(ca_file, key))


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"protocol": "SASL_SSL"}, "SASL_SSL needs a user and a password"),
        ({"protocol": "SASL_PLAINTEXT", "username": "a"}, "needs a user and a password"),
        ({"username": "a", "password": "b"}, "PLAINTEXT takes no user and no password"),
        ({"protocol": "SSL", "password": "b"}, "SSL takes no user and no password"),
        (
            {"protocol": "SASL_SSL", "mechanism": "OAUTHBEARER", "username": "a", "password": "b"},
            "OAUTHBEARER, and nothing else, needs a URL",
        ),
        (
            {"protocol": "SASL_SSL", "username": "a", "password": "b", "token_url": "https://a/b"},
            "OAUTHBEARER, and nothing else, needs a URL",
        ),
        ({"protocol": "SSL", "token_url": "https://a/b"}, "nothing else, needs a URL"),
    ],
)
def test_what_does_not_go_together_is_refused(how, reason):
    with pytest.raises(ValueError, match=reason):
        BrokerAccess(**how)


def test_files_without_tls_or_that_are_not_there_are_refused(tmp_path, ca_file):
    with pytest.raises(ValueError, match="PLAINTEXT has no TLS"):
        BrokerAccess(ca_file=ca_file)
    with pytest.raises(ValueError, match="is no file"):
        BrokerAccess("SSL", ca_file=tmp_path / "nowhere.pem")
    (tmp_path / "odd.pem").write_text("odd")
    with pytest.raises(ValueError, match="cannot be used"):
        BrokerAccess("SSL", ca_file=tmp_path / "odd.pem")
