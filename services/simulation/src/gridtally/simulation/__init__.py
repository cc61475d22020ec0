"""What houses would pay under a policy: runs, their house bills and generated profiles."""
