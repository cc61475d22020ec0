"""Load, decide, save and emit: what each request and each event does."""
