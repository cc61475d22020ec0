"""The rules of the ledger of readings, pure."""
