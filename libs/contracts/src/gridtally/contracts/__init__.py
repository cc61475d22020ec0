"""Events, their topics, their envelope and golden messages."""
