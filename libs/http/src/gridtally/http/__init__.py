"""What the HTTP APIs of all services have in common."""
