"""`python -m gridtally.ingest serve | api | work | relay | migrate | check-config | openapi`."""

from gridtally.ingest.app import SERVICE
from gridtally.service.process import main

main(SERVICE)
