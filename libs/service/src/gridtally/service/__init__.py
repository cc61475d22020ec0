"""How a service process starts, works and ends."""
