"""SQL and the audit chain's values: each module reads and writes one thing."""
