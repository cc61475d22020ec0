"""`python -m ingest serve | api | work | relay | migrate | check-config | openapi`."""

from ingest.app import SERVICE
from serving.process import main

main(SERVICE)
