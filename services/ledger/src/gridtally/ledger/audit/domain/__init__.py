"""The audit chain's rules, pure."""
