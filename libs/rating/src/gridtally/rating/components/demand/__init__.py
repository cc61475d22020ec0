"""Demand charges: what is measured, what is billed of it, and what that costs."""
