"""SQL to domain values and back; nothing here decides or commits."""
