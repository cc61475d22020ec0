"""Load, decide, save and emit: one transaction's work, which the caller commits."""
