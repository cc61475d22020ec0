"""SQL and the accounts' values: each module reads and writes one thing."""
