"""`gridtally follow events`: what it refuses before it asks the broker."""

import pytest
from typer.testing import CliRunner

from gridtally.cli.app import app
from gridtally.cli.errors import CommandError
from gridtally.cli.installation import SERVICES

HERE = {f"{service.upper()}_URL": "http://127.0.0.1:1" for service in SERVICES}


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["nope"], {}, "there is no topic nope; there are account.changed.v1, "),
        ([], {}, "set KAFKA_BOOTSTRAP_SERVERS"),
        (
            [],
            {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092", "KAFKA_SECURITY_PROTOCOL": "TLS"},
            "KAFKA_SECURITY_PROTOCOL: Input should be",
        ),
    ],
)
def test_what_cannot_be_followed_is_said_in_one_line(monkeypatch, words, environment, said):
    for name, value in (HERE | environment).items():
        monkeypatch.setenv(name, value)
    failure = CliRunner().invoke(app, ["follow", "events", *words]).exception
    assert isinstance(failure, CommandError)
    assert str(failure).startswith(said)
    assert "\n" not in str(failure)
