"""The registry's rules, pure."""
