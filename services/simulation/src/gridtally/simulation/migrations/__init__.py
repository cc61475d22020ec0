"""The steps by which simulation's schema moves forward."""
