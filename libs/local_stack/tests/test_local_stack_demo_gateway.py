"""The gateway simulator and a broker that is away for a moment, or for good."""

import pytest

from gridtally.cli.errors import CommandError
from gridtally.kernel.errors import Transient
from gridtally.local_stack.demo import gateway


class Broker:
    def __init__(self, refusals):
        self.refusals = refusals
        self.kept = []

    async def publish(self, messages):
        if self.refusals:
            self.refusals -= 1
            raise Transient("the broker did not acknowledge")
        self.kept += messages


async def test_what_the_broker_refuses_for_a_moment_is_sent_again():
    sent, broker, steps = gateway.Sent(), Broker(refusals=2), []
    messages = [object() for _ in range(gateway.BATCH_MESSAGES + 1)]
    await gateway.publish(iter(messages), broker, sent, steps.append)
    assert broker.kept == messages
    assert (sent.messages, steps) == (len(messages), [gateway.BATCH_MESSAGES, 1])


async def test_a_broker_that_stays_away_is_one_plain_message(monkeypatch):
    monkeypatch.setattr(gateway, "ACKNOWLEDGED_WITHIN_S", 0.2)
    with pytest.raises(CommandError, match="the broker has acknowledged no readings"):
        await gateway.publish(iter([object()]), Broker(10**9), gateway.Sent(), lambda _: None)
