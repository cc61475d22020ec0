"""The accounts' rules, pure."""
