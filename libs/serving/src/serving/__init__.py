"""How a service process runs and what its HTTP edge has in common."""
