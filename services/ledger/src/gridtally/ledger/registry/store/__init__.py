"""SQL and the registry's values: each module reads and writes one thing."""
