"""The kinds of charge, a file each: its dataclass, the lines it plans, and its step."""
