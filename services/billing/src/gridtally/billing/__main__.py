"""`python -m gridtally.billing <mode>`."""

from gridtally.billing.app import SERVICE
from gridtally.service.process import main

main(SERVICE)
