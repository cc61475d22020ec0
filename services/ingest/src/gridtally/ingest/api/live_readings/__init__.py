"""Readings as they come, for whoever listens: `streams` in two forms, by one path."""

from gridtally.http.json_bodies import Router
from gridtally.ingest.api.live_readings import server_sent, sockets

router = Router()
router.include_router(server_sent.router)
router.include_router(sockets.router)
