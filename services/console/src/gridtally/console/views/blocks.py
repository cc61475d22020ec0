"""What a page is made of, as values: panels of facts, figures, tables, drawings, forms.

A page's module fills them, one template shows them; so every list looks and behaves alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlencode

from markupsafe import Markup

from gridtally.console.upstream import Failure

Tone = Literal["plain", "good", "warn", "bad", "info"]
Text = str | Markup


@dataclass(frozen=True, slots=True)
class Link:
    """Where to go, and what it is called. A `primary` one is the page's main action."""

    label: str
    href: str
    is_current: bool = False
    is_primary: bool = False
    download: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table; `tone` makes it a badge, `note` stands small beneath."""

    text: Text
    href: str | None = None
    tone: Tone | None = None
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head. Numbers are aligned right; `unit` stands beside the label."""

    label: str
    is_number: bool = False
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """What stands in place of a list without rows: what would be here, and how it comes."""

    title: str
    text: str
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class Pager:
    """The way to the next page, and back to the first."""

    next_href: str | None
    first_href: str | None
    next_label: str = "Next page"
    first_label: str = "First page"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. `total` is a last row that sums them."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: Empty
    pager: Pager | None = None
    total: Sequence[Cell] = ()


@dataclass(frozen=True, slots=True)
class Stat:
    """A figure that one looks for first."""

    label: str
    value: Text
    unit: str = ""
    note: Text = ""
    tone: Tone = "plain"
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures side by side."""

    items: Sequence[Stat]


@dataclass(frozen=True, slots=True)
class Facts:
    """Terms with what they are."""

    items: Sequence[tuple[str, Cell]]


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that matters."""

    text: Text
    tone: Tone = "info"
    title: str = ""
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """An SVG, with its legend as (class, label) pairs; `narrow` is shown on phones instead."""

    svg: Markup
    legend: Sequence[tuple[str, str]] = ()
    narrow: Markup | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """A chart that can be zoomed, for browsers with JavaScript; the data is at `href`."""

    href: str
    label: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text as it is."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Ways to look at a page: groups of links, of each of which at most one is taken."""

    groups: Sequence[tuple[str, Sequence[Link]]]


@dataclass(frozen=True, slots=True)
class Copied:
    """A text to be copied, whole."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in a timeline."""

    at: Markup
    title: str
    href: str | None = None
    text: Text = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events, newest first or last as the page says."""

    items: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form; with `options` it is a choice. `error` is what is wrong with it. A phone
    shows the keys of a number where it `is_number`."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    options: Sequence[tuple[str, str]] = ()
    hint: str = ""
    error: str = ""
    is_required: bool = False
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """A further button of a form: it sends the form too, with this value under this name, and
    whatever is still missing in it."""

    name: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Form:
    """A form; `method` get is a filter, whose answers replace the region of id `target`."""

    action: str
    fields: Sequence[Field]
    submit: str
    method: Literal["get", "post"] = "post"
    hidden: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    target: str = ""
    clear_href: str | None = None
    is_danger: bool = False
    buttons: Sequence[Button] = ()


Block = (
    Table
    | Stats
    | Facts
    | Notice
    | Drawing
    | Series
    | Code
    | Choices
    | Copied
    | Timeline
    | Form
    | Empty
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A titled part of a page; with a `failure` it shows that instead. `width` is of twelve."""

    title: str
    blocks: Sequence[Block] = ()
    failure: Failure | None = None
    width: Literal[4, 6, 8, 12] = 12
    links: Sequence[Link] = ()
    text: str = ""
    region: str = ""
    folded: bool = False


@dataclass(frozen=True, slots=True)
class PageView:
    """A page: its place in the navigation, its name, its tabs and its parts."""

    area: str
    title: str
    blocks: Sequence[Block | Panel]
    crumbs: Sequence[Link] = ()
    subtitle: Text = ""
    tabs: Sequence[Link] = ()
    actions: Sequence[Link] = ()
    badge: Cell | None = None
    refresh_s: int = 0


def address(path: str, **params: str | int | None) -> str:
    """A path with those parameters that have a value; `from_` is `from`."""
    named = {name.rstrip("_"): value for name, value in params.items() if value not in (None, "")}
    return f"{path}?{urlencode(named)}" if named else path


def pager(path: str, next_cursor: str | None, **params: str | int | None) -> Pager | None:
    """The pager of a list; `params` are its filters, with the cursor of this page."""
    cursor = params.pop("cursor", None)
    if next_cursor is None and not cursor:
        return None
    return Pager(
        address(path, **params, cursor=next_cursor) if next_cursor else None,
        address(path, **params) if cursor else None,
    )
