"""What the events of all features share."""

from gridtally.contracts.envelope import source_of

SOURCE = source_of("ledger")
