import pytest

from gridtally.exports.csv_safety import text_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_as_a_formula(start):
    assert text_cell(f"{start}1") == f"'{start}1"
    assert text_cell(f"1{start}") == f"1{start}"


def test_other_texts_stay():
    assert [text_cell(text) for text in ("", "INV-1", "'=1", "a\n=1")] == [
        "", "INV-1", "'=1", "a\n=1",
    ]  # fmt: skip
