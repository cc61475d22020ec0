"""What billing decides, as values: no I/O, no clock."""
