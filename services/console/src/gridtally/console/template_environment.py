"""Jinja2 as every page uses it: escaped, strict about what is missing, with the views' formats."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gridtally.console.assets import Assets
from gridtally.console.views import formats

TEMPLATES = Path(__file__).with_name("templates")


def environment(assets: Assets) -> Environment:
    """All templates, compiled once each."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["asset"] = assets.path
    made.filters["instant"] = formats.instant
    made.filters["day"] = formats.day
    made.filters["number"] = formats.number
    made.filters["kind"] = lambda block: type(block).__name__.lower()
    return made
