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
