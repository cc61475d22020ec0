"""The gridtally command: local stack, demo, rate, verify."""
