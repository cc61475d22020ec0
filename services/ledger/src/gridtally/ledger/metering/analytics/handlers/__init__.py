"""What is done for a question or a definition: load, compute, and save what is defined."""
