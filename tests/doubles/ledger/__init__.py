"""The stores of the ledger's accounts in memory, and what payments must do on either."""
