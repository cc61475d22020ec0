"""`python -m ledger serve | api | work | relay | migrate | check-config | openapi`."""

from ledger.app import SERVICE
from serving.process import main

main(SERVICE)
