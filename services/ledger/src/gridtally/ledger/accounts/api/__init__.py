"""The HTTP operations of the accounts."""
