"""The columns that a file must and may have, and what was meant by another name.

A column that is not known is refused: passed over, a misspelt `export_kwh` would be a bill without
any export, and nobody would see it.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

NAMES_SHOWN_MAX = 8
NAME_CHARS_MAX = 40
"""Of a name that is quoted or guessed at."""
_IN_OTHER_UNITS = re.compile(r"(.+?)_?(mwh|wh|joule|kj|mj|gj)$")
_AS_POWER = re.compile(r"(.+?)_?(kw|mw|w|watt|watts|kilowatt)$")
_IN_HUNDREDTHS = re.compile(r"(?:price_)?(?:ct|cents?|pence|p|øre|öre|ore|rappen)_?(?:per_)?kwh")
_OTHER_WORDS: Mapping[str, Sequence[str]] = {
    "start_local": (
        "start", "start_time", "start_date", "starts", "from", "begin", "timestamp", "time", "date",
        "datetime", "date_time", "local_time", "interval_start", "reading_date", "datum", "zeit",
        "horodate", "fecha", "data",
    ),
    "minutes": ("duration", "interval", "interval_length", "interval_minutes", "resolution",
                "hours", "hour", "length"),
    "import_kwh": (
        "import", "kwh", "usage", "usage_kwh", "consumption", "consumption_kwh", "consumed",
        "energy", "energy_kwh", "value", "active_import", "verbrauch", "valeur", "units",
    ),
    "export_kwh": ("export", "feed_in", "feed_in_kwh", "exported", "active_export"),
    "load_kwh": ("load", "demand_kwh", "house", "house_kwh"),
    "gen_kwh": ("generation", "generation_kwh", "gen", "solar", "solar_kwh", "pv", "production"),
    "price_per_kwh": ("price", "rate", "price_kwh"),
    "price_per_mwh": ("price_mwh", "price_eur_mwh", "day_ahead_price", "spot_price"),
    "price": ("price_per_kwh", "rate", "value", "spot_price"),
}  # fmt: skip
"""What other programs call a column."""
_HOLDS = {
    "minutes": " It holds how many minutes each interval lasts: 60 for an hour",
    "_kwh": " It holds the kWh of each interval",
    "_local": " It holds date and time together: 2025-03-01T00:00",
}
"""What columns hold whose other names are of more than one thing."""
_ENDS = {"end", "end_time", "end_local", "end_utc", "ends", "to", "until", "interval_end"}


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file's first row must name, with `kind` for what the file is ("a usage file").

    Of each group of `needed` at least one; `optional` ones may be there. `ignored` are passed over
    since a person said so. `advice` is what to do about a column that is not known, `note` what
    else a refusal says of how such a file is written.
    """

    kind: str
    needed: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    advice: str = "delete it"
    note: str = ""

    @property
    def known(self) -> tuple[str, ...]:
        """Every column that is read."""
        return (*(name for group in self.needed for name in group), *self.optional)

    @property
    def form(self) -> str:
        """What such a file names in its first row."""
        *most, last = (" or ".join(group) for group in self.needed)
        names = f"{', '.join(most)} and {last}" if most else last
        return f"{self.kind} names in row 1 {names}{self.note and f' ({self.note})'}"

    def indexes(self, names: Sequence[str]) -> dict[str, int]:
        """The index of each column that is read, by its name; ValueError where the names are not
        those of such a file."""
        read = {name: index for index, name in enumerate(names) if name not in self.ignored}
        read.pop("", None)
        for name in read:
            if names.count(name) > 1:
                raise ValueError(f"the column {name[:NAME_CHARS_MAX]} is there twice")
        unknown = [name for name in read if name not in self.known]
        guesses = [(name, guess) for name in unknown if (guess := meant_by(name, self.known))]
        if guesses:
            name, guess = guesses[0]
            raise ValueError(f"the column {name[:NAME_CHARS_MAX]!r} is not known: {guess}")
        for group in self.needed:
            if not set(group) & set(read):
                one_of = f"one of the columns {', '.join(group)}"
                needs = one_of if len(group) > 1 else f"the column {group[0]}"
                raise ValueError(
                    f"needs {needs}{self.note and f' ({self.note})'}; found {listed(names)}"
                )
        if unknown:
            name = unknown[0][:NAME_CHARS_MAX]
            raise ValueError(f"the column {name!r} is not known, and is not passed over silently: "
                             f"{self.advice}")  # fmt: skip
        return read


def meant_by(name: str, known: Collection[str]) -> str | None:
    """What a name that is not known was meant to be, as a question with what to do; None where
    that cannot be said."""
    if len(name) > NAME_CHARS_MAX:
        return None
    plain = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
    if plain in known:
        return f"is {plain} meant? It is written so, in small letters and with '_'"
    if (unit := _IN_OTHER_UNITS.fullmatch(plain)) and (to := f"{unit[1]}_kwh") in known:
        at = name.casefold().rfind(unit[2])
        return f"is {to} meant? Give the energy in kWh, not in {name[at : at + len(unit[2])]}"
    if (unit := _AS_POWER.fullmatch(plain)) and (to := f"{unit[1]}_kwh") in known:
        return (
            f"is {to} meant? Power is not energy: give the kWh of each interval, kW × minutes / 60"
        )
    if plain in _ENDS and {"start_local", "start_utc"} & set(known):
        return "give where each interval starts, in start_local or start_utc, not where it ends"
    for column in _other_words(plain):
        if column in known:
            holds = next((text for end, text in _HOLDS.items() if column.endswith(end)), "")
            return f"is {column} meant?{holds}"
    if _IN_HUNDREDTHS.fullmatch(plain) and "price_per_kwh" in known:
        return "is price_per_kwh meant? Give it in the whole currency: 0.10 for 10 hundredths"
    close = get_close_matches(plain, known, 1, cutoff=0.8)
    return f"is {close[0]} meant?" if close else None


def _other_words(plain: str) -> Iterator[str]:
    for column, words in _OTHER_WORDS.items():
        if plain in words:
            yield column


def listed(names: Sequence[str]) -> str:
    """Names as a refusal shows them: the first ones, cut."""
    shown = ", ".join(name[:NAME_CHARS_MAX] for name in names[:NAMES_SHOWN_MAX] if name)
    return f"{shown}, …" if len(names) > NAMES_SHOWN_MAX else shown or "no name"
