"""SQL and the values of the ledger of readings."""
