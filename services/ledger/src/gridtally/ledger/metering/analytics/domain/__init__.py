"""The rules of the analytics, pure."""
