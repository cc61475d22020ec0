"""`python -m tariff serve | api | work | relay | migrate | check-config | openapi`."""

from serving.process import main
from tariff.app import SERVICE

main(SERVICE)
