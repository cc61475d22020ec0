"""Tokens for the broker: asked for before they end, and used until then where none is given."""

import pytest
from aiokafka.errors import KafkaConnectionError

from gridtally.messaging import broker_tokens
from gridtally.messaging.broker_tokens import ClientCredentials, _Granted

LIFE_S = 100.0


class Provider(ClientCredentials):
    """Its tokens are numbered; it gives none while `is_away`."""

    def __init__(self):
        super().__init__("https://id.example/token", "ledger", "hidden", None)
        self.asked, self.is_away = 0, False

    async def _ask(self):
        self.asked += 1
        if self.is_away:
            raise KafkaConnectionError("no token")
        return _Granted(access_token=f"t{self.asked}", expires_in=LIFE_S)


@pytest.fixture
def at(monkeypatch):
    """Sets the clock."""

    def set_to(seconds):
        monkeypatch.setattr(broker_tokens.time, "monotonic", lambda: seconds)

    set_to(1_000.0)
    return set_to


async def test_a_token_is_asked_for_again_before_it_ends(at):
    provider = Provider()
    assert await provider.token() == "t1"
    at(1_079.0)
    assert await provider.token() == "t1"
    at(1_081.0)
    assert await provider.token() == "t2"


async def test_while_none_is_given_the_last_one_serves_until_it_ends(at):
    provider = Provider()
    await provider.token()
    provider.is_away = True
    at(1_099.0)
    assert await provider.token() == "t1"
    at(1_100.0)
    with pytest.raises(KafkaConnectionError):
        await provider.token()
    provider.is_away = False
    assert await provider.token() == "t4"
