"""Naive second engines for the tests of rating: slow, plain and without its code."""
