"""Engine, the one transaction helper, migrations under a lock, COPY."""
