"""Tables in CSV: every field is read, or the file is refused with the row at fault."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.files.header import Columns, meant_by
from gridtally.files.table import read_table

COLUMNS = Columns(
    "a usage file", (("start_local", "start_utc"), ("minutes",), ("import_kwh", "export_kwh"))
)
HEADER = "start_local,minutes,import_kwh"


def read(text, columns=COLUMNS):
    table = read_table(text, columns, rows_max=1000)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def values(text):
    table = read_table(text, COLUMNS, rows_max=1000)
    return list(zip(*(table.column(name) for name in HEADER.split(",")), strict=True))


ROWS = [("2025-03-01T00:00", "60", "1"), ("2025-03-01T01:00", "60", "2.5")]
PLAIN = "\n".join([HEADER, *map(",".join, ROWS)])


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN + "\n",
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", "\r\n", 1),  # ends of lines of two kinds
        "\n\n" + PLAIN,  # blank lines say nothing, wherever they are
        PLAIN.replace("\n", "\n\n"),
        PLAIN + "\n,,\n , ,\n\n",  # nor do commas alone, as spreadsheets write below a table
        PLAIN.replace("\n", ",\n") + ",",  # a comma at the end makes a column without a name
        PLAIN.replace(",", ", "),
        PLAIN.replace("60", '"60"').replace("minutes", '"minutes"'),
    ],
)
def test_the_same_rows_in_other_dress_are_read_equal(text):
    assert values(text) == ROWS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # actualbudget/actual#1769: a decimal comma makes two fields of a number
        (f"{HEADER}\na,60,1,5", r"^row 2: has 4 fields, .* a decimal comma, 1,5 for 1\.5\?"),
        (PLAIN + "\nx,60,1,", "^row 4: has 4 fields, .* it ends in a comma, which must go"),
        (PLAIN + "\nx,60,a,note", "^row 4: has 4 fields, .*: name each column in row 1, and put"),
        (PLAIN + "\nx,60", "^row 4: has 2 fields, and row 1 names 3 columns: is the row cut off"),
        (PLAIN + "\nTotal", "^row 4: has 1 field, and"),
        (PLAIN.replace("\n", ",\n") + ",note", "^row 3: has 'note' in a column without a name"),
        (PLAIN + '\nx,60,"1', "^row 4: unexpected end of data"),
        (PLAIN + '\nx,60,"1"5', "^row 4: ',' expected after '\"'"),
        ("", "^is empty: it has no row"),
        (",,\n", "^is empty: it has no row"),
        ("\n" * 1001, "^is empty: it has no row"),
        (PLAIN + "\nx,60,1" * 1000, "^row 1002: at most 1000 rows in a file"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        # capitals and blanks
        ("Start_Local, Minutes ,Import_kWh", "row 1: the column 'Start_Local' is not known"),
        ("START LOCAL,minutes,import_kwh", "is start_local meant"),
        ("start_local,minutes,import-kwh", "is import_kwh meant"),
        ("start_local,minutes,import_wh", "is import_kwh meant.* in kWh, not in wh"),
        ("start_local,minutes,Import (MWh)", "is import_kwh meant.* in kWh, not in MWh$"),
        ("start_local,minutes,Import (Wh)", "is import_kwh meant.* in kWh, not in Wh$"),
        ("start_local,hours,import_kwh", "is minutes meant.* how many minutes each interval lasts"),
        ("start_local,minutes,import_kw", "is import_kwh meant.* Power is not energy"),
        ("end_local,minutes,import_kwh", "give where each interval starts"),
        ("timestamp,minutes,import_kwh", "is start_local meant"),
        ("Date,Time,minutes,import_kwh", "'Date' is not known: is start_local meant.* together"),
        ("start_local,duration,import_kwh", "is minutes meant"),
        ("start_local,minutes,consumption", "is import_kwh meant.* It holds the kWh"),
        ("start_local,minutes,imprt_kwh", "is import_kwh meant"),
        # passed over, they would be a bill without export
        ("start_local,minutes,import_kwh,Export_kWh", "'Export_kWh' is not known: is export_kwh"),
        ("start_local,minutes,import_kwh,meter", "'meter' is not known, and is not passed over"),
        ("start_local,minutes,import_kwh,import_kwh", "import_kwh is there twice"),
        ("start_local,import_kwh", "needs the column minutes; found start_local, import_kwh$"),
        ("minutes,import_kwh", "needs one of the columns start_local, start_utc"),
        ("a" * 500 + ",minutes,import_kwh", "needs one of the columns start_local"),
    ],
)  # fmt: skip
def test_a_header_that_does_not_fit_says_what_was_meant(header, message):
    with pytest.raises(ValueError, match=message):
        read(header + "\n" + ",".join("1" for _ in header.split(",")))


def test_a_column_is_passed_over_where_a_person_says_so():
    columns = Columns("a file", (("minutes",),), ignored=frozenset({"note", "minutes2"}))
    table = read_table("note,minutes,note\na,60,b", columns, rows_max=9)
    assert (table.columns, table.column("minutes")) == ({"minutes": 1}, ["60"])


SDGE = """"Name : A",,,,
"Total Usage: 5.495",,,,
,,,,
"Meter Number","Date","Start Time","Duration","Consumed"
"0000000","03/01/2025",12:00:00 AM,"Hour","0.34"
"0000000","03/01/2025",01:00:00 AM,"Hour","0.34"
"""
PGE = """Name,A
Address,"1 X ST, CITY CA"
Account Number,000

TYPE,DATE,START TIME,END TIME,USAGE,UNITS,COST,NOTES
Electric usage,2025-03-01,00:00,00:59,0.34,kWh,$0.10,
Electric usage,2025-03-01,01:00,01:59,0.34,kWh,$0.10,
Electric usage,2025-03-01,02:00,02:59,0.34,kWh,$0.10,
"""
ENEDIS = """Identifiant PRM;Type de donnees;Date de debut;Date de fin
000;Courbe;01/03/2025;02/03/2025
Horodate;Valeur
2025-03-01T00:00:00+01:00;400
2025-03-01T00:30:00+01:00;400
2025-03-01T01:00:00+01:00;400
"""
AS_EDITED = "first replace every ',' by '.', and only then every ';' by ','"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (SDGE, ["row 4: the columns seem to be named here (Meter Number, Date, Start Time, D",
                "Consumed), below other rows: delete the rows above", "a usage file names in"]),
        (PGE, ["row 5: the columns seem to be named here (TYPE, DATE, START TIME"]),
        (ENEDIS, ["row 3: the columns seem to be named here (Horodate, Valeur)",
                  "separated by ';', and must be by ','"]),
        ("sep=,\n" + PLAIN, ["row 2: the columns seem to be named here", "delete the rows above"]),
        ("Export of March\n\n" + PLAIN.replace(",", ";"), ["row 3: the columns", "by ';'"]),
        (PLAIN.replace(",", "\t"), ["row 1: the columns are separated by tabs"]),
        (PLAIN.replace(",", "|"), ["row 1: the columns are separated by '|', and must be by"]),
        (PLAIN.replace(",", ";").replace("2.5", "2,5"),
         ["row 1: the columns are separated by ';'", "decimal comma ('2,5' in row 3)", AS_EDITED]),
    ],
)  # fmt: skip
def test_another_layout_is_explained(text, messages):
    """As SDG&E (corruptbear/my_sdge#1), PG&E (BadPirate/pgewall#2, tronikos/opower#43), Enedis
    (CaporalDead/solar-plan#19) and programs with decimal commas (LinzAG awattar-backtesting#51)
    export them."""
    with pytest.raises(ValueError, match=r"^row ") as refusal:
        read(text)
    for message in messages:
        assert message in str(refusal.value)


def test_the_advice_for_decimal_commas_leads_to_a_file_that_is_read_equal():
    """It must not lead to a file in which a number is two fields."""
    german = PLAIN.replace(",", ";").replace("2.5", "2,5")
    assert values(german.replace(",", ".").replace(";", ",")) == ROWS


def test_a_name_that_is_long_is_not_guessed_at():
    assert meant_by("import_kwh" * 50, COLUMNS.known) is None


# --- nothing in a file is passed over -------------------------------------------------------------

TEXTS = st.text(alphabet="abc019 .,;\"'\n\r\t-", max_size=8)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5), st.randoms())
def test_what_csv_writes_is_read_equal(rows, random):
    """Whatever the quotes and the ends of lines; blanks before a field do not count."""
    made = io.StringIO()
    end = random.choice(["\n", "\r\n"])
    quoting = random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(made, quoting=quoting, lineterminator=end)
    writer.writerows([HEADER.split(","), *rows])
    try:
        read_back = values(made.getvalue())
    except ValueError:
        return
    assert _filled(read_back) == _filled(rows)


def _filled(rows):
    """Rows without the blanks around their fields, and without those that say nothing."""
    stripped = [tuple(text.strip() for text in row) for row in rows]
    return [row for row in stripped if any(row)]


@given(
    st.integers(0, len(PLAIN) - 1), st.integers(0, 3),
    st.sampled_from(["", ",", ";", '"', "\n", "\r", " ", ".", "'", ",,", "\n\n", "x", "1,", "\t"]),
)  # fmt: skip
def test_a_file_that_was_changed_somewhere_is_refused_or_shows_it(at, cut, put):
    """Text is cut out or put in anywhere. What is read then says every character of the file but
    blanks, quotes and blank lines: put together again it is the file."""
    changed = PLAIN[:at] + put + PLAIN[at + cut :]
    try:
        table = read_table(changed, COLUMNS, rows_max=1000)
    except ValueError:
        return
    header = changed.replace("\r", "\n").lstrip(" ,\n\t").split("\n")[0]
    rejoined = ",".join([header, *(",".join(row) for row in table.rows)])
    as_read, as_written = (_bare(text) for text in (rejoined, changed))
    assert as_read == as_written


def _bare(text):
    """Without what says nothing: blanks, quotes, and commas of rows without a text."""
    rows = text.replace("\r", "\n").split("\n")
    filled = ",".join(row for row in rows if row.strip(' ,"\t'))
    return "".join(character for character in filled if character not in ' "\t')
