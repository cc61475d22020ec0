"""`/v1/quotes`, `/v1/compare`: what tariffs would charge a meter. Nothing is stored."""

from gridtally.tariff.api.quotes.routes import router

__all__ = ["router"]
