"""A watched folder: which files have come to rest, and where they go."""

import json

import pytest

from gridtally.cli.errors import CommandError
from gridtally.cli.watched_folder import Resting, move, read_declaration


def test_a_file_that_is_still_written_is_left_alone(tmp_path):
    resting = Resting()
    whole, growing = tmp_path / "whole.csv", tmp_path / "growing.csv"
    for path in (whole, growing, tmp_path / ".hidden", tmp_path / "import.json"):
        path.write_text("a")
    (tmp_path / "imported").mkdir()
    assert list(resting.files(tmp_path)) == []
    growing.write_text("ab")
    assert list(resting.files(tmp_path)) == [whole]
    assert list(resting.files(tmp_path)) == [growing, whole]


def test_no_file_is_overwritten(tmp_path):
    for text in ("first", "second"):
        path = tmp_path / "may.csv"
        path.write_text(text)
        move(path, "refused", f"why {text}")
    refused = tmp_path / "refused"
    assert {path.name: path.read_text() for path in refused.iterdir()} == {
        "may.csv": "first", "may.csv.txt": "why first\n",
        "may.1.csv": "second", "may.1.csv.txt": "why second\n",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "it says how the files are read"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON: lists and objects are nested too deep"),
        ('{"zone": "UTC", "zone": "Europe/Berlin"}', "'zone' is there twice in one object"),
        ("[]", "names zone, layout and mapping"),
        ('{"zone": "UTC", "layout": {}}', "names zone, layout and mapping"),
        ('{"zone": "UTC", "layout": {}, "mapping": {}, "meter": 1}', "'meter' is not known"),
        (
            '{"zone": "UTC", "layout": {}, "mapping": {}, "registers": {"1 11": 7}}',
            "the meter of each",
        ),
    ],
)
def test_a_folder_declares_how_its_files_are_read(tmp_path, text, reason):
    if text is not None:
        (tmp_path / "import.json").write_text(text)
    with pytest.raises(CommandError, match=reason):
        read_declaration(tmp_path)


def test_what_is_left_out_may_be_left_out(tmp_path):
    declared = {"zone": "UTC", "layout": {"kind": "nem12"}, "mapping": {}}
    (tmp_path / "import.json").write_text(json.dumps(declared))
    assert read_declaration(tmp_path).left_out == []
    assert read_declaration(tmp_path).registers == {}
