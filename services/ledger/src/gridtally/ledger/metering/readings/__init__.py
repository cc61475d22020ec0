"""The ledger of register readings: entered, corrected, exchanged and withdrawn."""
