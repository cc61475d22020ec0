"""The catalogue's HTTP API; it holds no rules, only their form on the wire."""

from fastapi import APIRouter

from tariff.api import (
    calendar_versions,
    calendars,
    price_series,
    prices,
    quotes,
    regions,
    tariffs,
    versions,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        regions,
        tariffs,
        versions,
        calendars,
        calendar_versions,
        price_series,
        prices,
        quotes,
    )
)
