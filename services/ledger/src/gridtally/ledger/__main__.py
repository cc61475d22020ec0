"""`python -m gridtally.ledger serve | api | work | relay | migrate | check-config | openapi`."""

from gridtally.ledger.app import SERVICE
from gridtally.service.process import main

main(SERVICE)
