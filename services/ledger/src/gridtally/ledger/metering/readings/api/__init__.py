"""The HTTP operations of the ledger of readings."""
