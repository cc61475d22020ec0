"""`python -m notes serve`."""

from notes.app import SERVICE
from serving.process import main

main(SERVICE)
