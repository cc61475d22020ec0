"""SQL and the values of the analytics."""
