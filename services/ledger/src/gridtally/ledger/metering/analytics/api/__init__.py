"""The HTTP operations of the analytics."""
