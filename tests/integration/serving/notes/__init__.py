"""A tiny service, to see what `serving` gives to every service."""
