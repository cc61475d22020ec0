"""The kinds of charge: one frozen dataclass and its planned lines per file."""
