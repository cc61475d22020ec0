"""`python -m billing <word>`."""

from billing.app import SERVICE
from serving.process import main

main(SERVICE)
