"""The HTTP operations of the audit chain."""
