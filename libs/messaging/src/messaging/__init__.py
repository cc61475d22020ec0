"""Consumer, producer, outbox relay, offsets and dead letters."""
