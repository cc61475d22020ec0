"""What the registry and the accounts mean; no I/O, no clock."""
