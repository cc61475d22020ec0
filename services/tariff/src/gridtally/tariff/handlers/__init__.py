"""Load, decide, save and emit: what each request does."""
