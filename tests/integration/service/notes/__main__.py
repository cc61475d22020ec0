"""`python -m notes serve`."""

from gridtally.service.process import main
from notes.app import SERVICE

main(SERVICE)
