"""The files and layouts of docs/formats.md: each layout is what its file seems to have."""

import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from gridtally.meter_files.csv_layout import CsvLayout
from gridtally.meter_files.reader import guess_layout, read_file

PAGE = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
EXAMPLES = re.findall(
    r"\(zone `([^`]+)`\):\n\n```csv\n(.*?)```\n\n```json\n(.*?)```", PAGE, re.DOTALL
)


@pytest.mark.parametrize(("zone", "text", "layout"), EXAMPLES)
def test_the_layout_of_an_example_is_proposed_and_read(zone, text, layout):
    declared = TypeAdapter(CsvLayout).validate_json(layout)
    guess = guess_layout(text.encode(), zone)
    assert guess.layout == declared
    assert all(channel.present for channel in read_file(text.encode(), declared).channels)


def test_the_examples_are_found():
    assert len(EXAMPLES) == PAGE.count("```csv") == 2


def test_the_page_names_every_field():
    assert not [name for name in CsvLayout.__slots__ if f"`{name}`" not in PAGE and name != "kind"]
