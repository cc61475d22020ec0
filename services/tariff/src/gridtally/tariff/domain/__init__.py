"""What the catalogue means; no I/O, no clock."""
