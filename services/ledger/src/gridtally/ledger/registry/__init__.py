"""The registry: properties, their meters and the people who live there."""
