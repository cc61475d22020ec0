"""`python -m gridtally.simulation <mode>`."""

from gridtally.service.process import main
from gridtally.simulation.app import SERVICE

main(SERVICE)
