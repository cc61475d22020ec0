"""The steps by which billing's schema moves forward."""
