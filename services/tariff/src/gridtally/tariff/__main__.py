"""`python -m gridtally.tariff serve | api | work | relay | migrate | check-config | openapi`."""

from gridtally.service.process import main
from gridtally.tariff.app import SERVICE

main(SERVICE)
