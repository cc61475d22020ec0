"""Drawings: valid XML, exact figures in titles, names that stay text, no style and no script."""

from decimal import Decimal
from xml.etree import ElementTree as ET

from gridtally.console.views import charts

HOSTILE = '<img src=x onerror="alert(1)">&'


def drawn():
    part = (HOSTILE, Decimal("1.5"), "1.500 kWh")
    below = ("export", Decimal(-2), "−2 kWh")
    cell = charts.HeatCell(Decimal(3), HOSTILE)
    return [
        charts.bars([charts.Bar(HOSTILE, (part, below))], (HOSTILE, "export"), HOSTILE, unit="kWh"),
        charts.bars([], (), "none", unit="kWh"),
        charts.waterfall(
            [
                charts.Step(HOSTILE, Decimal("12.09"), "12.09"),
                charts.Step("feed-in", Decimal("-18.98"), "−18.98"),
                charts.Step("total", Decimal("-6.89"), "−6.89", is_total=True),
            ],
            HOSTILE,
        ),
        charts.heat_map([(HOSTILE, [cell, charts.HeatCell(None, "missing")])], ["00", "01"], "h"),
        charts.runs(
            [(HOSTILE, [(0, 5, "day", HOSTILE)])], {"day": "b0"}, "r", width_units=10, heads=[]
        ),
    ]


def test_they_are_xml_with_hostile_names_as_text():
    for svg in drawn():
        root = ET.fromstring(str(svg))  # noqa: S314 - our own text
        for node in root.iter():
            assert node.tag in {"svg", "g", "rect", "line", "text", "title"}
            assert not {name for name in node.attrib if name == "style" or name.startswith("on")}


def test_bars_stand_on_zero_and_what_is_below_hangs():
    root = ET.fromstring(str(drawn()[0]))  # noqa: S314 - our own text
    base = next(node for node in root if node.get("class") == "base")
    up, down = (node for node in root if node.tag == "rect")
    zero = Decimal(base.get("y1"))
    assert abs(Decimal(up.get("y")) + Decimal(up.get("height")) - zero) <= Decimal("0.2")
    assert abs(Decimal(down.get("y")) - zero) <= Decimal("0.2")
    # 2 kWh below is 4/3 as tall as 1.5 kWh above
    assert abs(Decimal(down.get("height")) / Decimal(up.get("height")) * 3 - 4) < Decimal("0.05")


def test_a_waterfall_ends_where_its_steps_lead():
    root = ET.fromstring(str(drawn()[2]))  # noqa: S314 - our own text
    first, second, total = (node for node in root if node.tag == "rect")
    end = Decimal(second.get("x"))
    assert end == Decimal(total.get("x"))
    assert Decimal(total.get("x")) + Decimal(total.get("width")) == Decimal(first.get("x"))
