"""The wire: events, their topics, the envelope and golden JSON."""
