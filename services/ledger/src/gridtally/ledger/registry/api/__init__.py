"""The HTTP operations of the registry."""
