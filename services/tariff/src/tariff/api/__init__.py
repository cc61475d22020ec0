"""The catalogue's HTTP API; it holds no rules, only their form on the wire."""

from fastapi import APIRouter

from tariff.api import regions, tariffs, versions

ROUTERS: tuple[APIRouter, ...] = (regions.router, tariffs.router, versions.router)
