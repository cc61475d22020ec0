"""`gridtally import`: what the command line says of a file's channels, before anything is sent."""

import pytest

from gridtally.cli.errors import CommandError
from gridtally.cli.import_file import described, parse_goals, read_content, read_layout

METER = "6f1b0000-0000-0000-0000-000000000001"
CHANNELS = [{"name": "6102 E1"}, {"name": "6102 B1"}]
GOAL = {"meter_id": METER, "flow": None}


@pytest.mark.parametrize(
    ("mapped", "left_out", "mapping"),
    [
        ([f"6102 E1={METER}"], ["6102 B1"], {"6102 E1": GOAL}),
        (
            [f"6102 E1={METER}:import", f"6102 B1={METER}:export"],
            [],
            {"6102 E1": GOAL | {"flow": "import"}, "6102 B1": GOAL | {"flow": "export"}},
        ),
        ([f"a=b={METER}", f"6102 E1={METER}", f"6102 B1={METER}"], [],
         {"a=b": GOAL, "6102 E1": GOAL, "6102 B1": GOAL}),
    ],
)  # fmt: skip
def test_channels_are_mapped_by_name(mapped, left_out, mapping):
    assert parse_goals(mapped, left_out, None, None).mapping(CHANNELS) == mapping


def test_the_only_channel_needs_no_name():
    goals = parse_goals([], ["6102 B1"], METER, "import")
    assert goals.mapping(CHANNELS) == {"6102 E1": {"meter_id": METER, "flow": "import"}}


@pytest.mark.parametrize(
    ("mapped", "meter", "reason"),
    [
        ([], None, "map each channel to a meter, or leave it out: --map '6102 E1=METER_ID:FLOW'"),
        ([f"6102 E1={METER}"], None, "--map '6102 B1="),
        ([METER], None, "is not CHANNEL=METER_ID"),
        ([f"6102 E1={METER}:sideways"], None, "'sideways' is no flow: choose from import, export"),
        ([], METER, "--meter is for one channel, and the file has 2: use --map"),
        ([f"6102 E1={METER}"], METER, "give either --meter"),
    ],
)
def test_what_cannot_be_mapped_is_refused_in_words(mapped, meter, reason):
    with pytest.raises(CommandError) as refused:
        parse_goals(mapped, [], meter, None).mapping(CHANNELS)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("flow", "shown"),
    [
        ("import", "import, 30 min, 2025-02-28 to 2025-03-01, 48 values, 1 missing, 33.600 kWh"),
        (None, "flow unknown, 30 min, 2025-02-28 to 2025-03-01, 48 values, 1 missing, 33.600 kWh"),
        ("reactive_import",
         "reactive_import, 30 min, 2025-02-28 to 2025-03-01, 48 values, 1 missing, 33.600 kvarh"),
    ],
)  # fmt: skip
def test_a_channel_is_shown_in_its_unit(flow, shown):
    channel = {
        "name": "6102 Q1", "flow": flow, "minutes": 30, "start_at": "2025-02-28",
        "end_at": "2025-03-01", "values": 48, "missing": 1, "energy_wh": 33_600,
    }  # fmt: skip
    assert described(channel) == f"channel 6102 Q1: {shown}"


def test_files_that_cannot_be_read_are_named(tmp_path):
    broken = tmp_path / "layout.json"
    for text in ("{", "[" * 100_000, '{"zone": "UTC", "zone": "Europe/Berlin"}'):
        broken.write_text(text)
        with pytest.raises(CommandError, match="is no JSON"):
            read_layout(broken)
    for read in (read_layout, read_content):
        with pytest.raises(CommandError, match=r"absent\.csv: No such file"):
            read(tmp_path / "absent.csv")
