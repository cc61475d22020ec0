"""A tiny service, to see what `service` gives to every service."""
