"""The tariff book's pages are true: each tariff makes the bills that were worked by hand."""

import re
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest

from gridtally.rating.document import tariff_version
from gridtally.rating.engine.exact import add_up
from gridtally.rating.field_types import decimals_in
from gridtally.rating.quote import rate_in_sequence
from tariff_book import FOLDER, pages, read_page

SHOWN_DECIMALS = 8
"""Of quantities and mean prices, as bills print them."""


def shown(line):
    """A line as a page has it."""
    item = line.item
    name = f"{item.component_id} · {item.band}" if item.band else item.component_id
    return name, cut(line.quantity), item.unit, cut(item.rate), line.amount


def cut(number):
    """As a bill prints it."""
    return round(number, SHOWN_DECIMALS) if decimals_in(number) > SHOWN_DECIMALS else number


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_a_page_makes_the_bills_that_were_worked_by_hand(path):
    page = read_page(path)
    version = tariff_version(UUID(int=1), page.document)
    bills = rate_in_sequence(version, page.usages, prices=page.prices)
    by_period = {bill.period: bill for bill in bills}
    for period, (rows, total) in page.bills.items():
        bill = by_period[period]
        as_billed = [shown(line) for line in bill.lines]
        as_worked = [(row.line, row.quantity, row.unit, row.rate, row.amount) for row in rows]
        assert as_billed == as_worked
        assert bill.total == total
        assert add_up(row.amount for row in rows) == total


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_each_number_is_the_sum_that_stands_before_it(path):
    for rows, _ in read_page(path).bills.values():
        for row in rows:
            for worked, number in row.worked:
                step = Decimal(1).scaleb(int(number.as_tuple().exponent))
                assert abs(worked - Fraction(number)) <= Fraction(step) / 2, row.line


@pytest.mark.parametrize(
    ("change", "test"),
    [
        (("| 43.40 |", "| 43.41 |"), test_a_page_makes_the_bills_that_were_worked_by_hand),
        (("**201.89**", "**201.88**"), test_a_page_makes_the_bills_that_were_worked_by_hand),
        (("17 days × 9.7", "17 days × 9.8"), test_each_number_is_the_sum_that_stands_before_it),
    ],
)
def test_a_page_with_a_wrong_figure_fails(tmp_path, change, test):
    text = (FOLDER / "pge-e-tou-c.md").read_text()
    (tmp_path / "wrong.md").write_text(text.replace(*change))
    assert text.count(change[0]) == 1
    with pytest.raises(AssertionError):
        test(tmp_path / "wrong.md")


def test_the_contents_list_each_page():
    listed = re.findall(r"\]\((\S+\.md)\)", (FOLDER / "README.md").read_text())
    assert [path.name for path in pages()] == sorted(name for name in listed if "/" not in name)
