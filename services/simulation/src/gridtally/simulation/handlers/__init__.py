"""Load, decide, save and emit."""
