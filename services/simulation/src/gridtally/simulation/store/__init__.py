"""SQL ↔ domain, and what other services answer ↔ domain."""
