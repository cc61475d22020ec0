"""Documents: the published shape of tariffs and calendars, made of the rating engine's dataclasses.

Owns how a dataclass reads as a schema: its fields with their forms and their sentences, which
stand in `gridtally.rating` and nowhere else. What a document means is the engine's. Unlike events,
a document refuses unknown fields: a charge that a reader does not know would make a wrong bill.
Decimals are strings.
"""

import ast
import dataclasses
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache, partial, reduce
from itertools import pairwise
from operator import or_
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from gridtally.contracts.faults import faults_of
from gridtally.kernel import money
from gridtally.kernel.errors import Fault, Rejected
from gridtally.rating.calendar import Calendar
from gridtally.rating.document import NOT_IN_DOCUMENT
from gridtally.rating.field_types import (
    NAME_FORM,
    RATE_FORM,
    Between,
    DecimalForm,
    Length,
    PassedBy,
    TextForm,
)
from gridtally.rating.json_form import as_json
from gridtally.rating.tariff import TariffVersion

Name = Annotated[str, Field(pattern=NAME_FORM.pattern)]
"""What bands, components and price series are called."""
Rate = Annotated[str, Field(pattern=RATE_FORM.pattern, json_schema_extra={"format": "decimal"})]
"""Money per unit; a negative one pays the customer."""
_AS_THEY_ARE = (str, int, bool, date)
_TITLES: Mapping[type[Any], str] = {TariffVersion: "TariffDocument", Calendar: "CalendarDocument"}


class DocumentModel(BaseModel):
    """A piece of a document: nothing in it may be misunderstood."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rounding(DocumentModel):
    """How amounts are rounded: each line for itself, or only the invoice's total."""

    mode: Annotated[
        Literal["half_even", "half_up", "down", "up"],
        Field(description="To the nearest, ties to the even digit or away from 0; to 0; from 0."),
    ] = "half_even"
    decimals: Annotated[
        Annotated[int, Field(ge=0, le=money.DECIMALS_MAX)] | None,
        Field(description="Decimals that stay; null for those of the currency by ISO 4217."),
    ] = None
    per: Annotated[
        Literal["line", "invoice"],
        Field(description="What is rounded: each line, or the invoice's total in a line more."),
    ] = "line"


@cache
def model_of(kind: type[Any]) -> type[DocumentModel]:
    """The model of what a dataclass looks like in a document.

    TypeError for a field whose type has no form in documents.
    """
    if kind is money.Rounding:  # whose decimals a document may leave to its currency
        return Rounding
    hints = get_type_hints(kind, include_extras=True)
    sentences = field_sentences(kind)
    fields: dict[str, Any] = {}
    if hasattr(kind, "kind"):
        fields["kind"] = (Literal[kind.kind], Field(description="Which of the kinds it is."))
    for field in dataclasses.fields(kind):
        if kind is TariffVersion and field.name in NOT_IN_DOCUMENT:
            continue
        described = Field(default=_default(field), description=sentences.get(field.name))
        fields[field.name] = (_type_of(hints[field.name], field.name), described)
    return create_model(
        _TITLES.get(kind, kind.__name__),
        __base__=DocumentModel,
        __doc__=inspect.getdoc(kind),
        __module__=__name__,
        **fields,
    )


def _default(field: dataclasses.Field[Any]) -> Any:
    """A field's default in its JSON form; Ellipsis where it is required."""
    if field.default is not dataclasses.MISSING:
        return as_json(field.default)
    factory: Any = field.default_factory
    return ... if factory is dataclasses.MISSING else model_of(factory)()


def _type_of(hint: Any, name: str) -> Any:
    """The type in a model that stands for an annotation of a dataclass."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        base, *forms = args
        return Annotated[_type_of(base, name), *(_constraint(form) for form in forms)]
    if origin in (Union, types.UnionType):
        return _union_of(args, name)
    if origin is tuple:
        return list[_type_of(args[0], name)]  # type: ignore[misc] # made while running
    if dataclasses.is_dataclass(hint):
        assert isinstance(hint, type)  # noqa: S101 - an annotation names a class
        return model_of(hint)
    if hint is Decimal:
        return Annotated[str, Field(json_schema_extra={"format": "decimal"})]
    if hint in (time, datetime):
        return str
    if hint in _AS_THEY_ARE or origin is Literal:
        return hint
    raise TypeError(f"{name}: {hint} has no form in a document")


def _union_of(args: tuple[Any, ...], name: str) -> Any:
    """`X | None`, or several dataclasses that `kind` tells apart."""
    members = [_type_of(arg, name) for arg in args if arg is not types.NoneType]
    if len(members) == 1:
        return members[0] | None
    return Annotated[reduce(or_, members), Field(discriminator="kind")]


def _constraint(form: object) -> Any:
    """What holds a model's field to a declared form."""
    match form:
        case TextForm() | DecimalForm():
            return Field(pattern=form.pattern)
        case Between():
            return Field(ge=form.least, le=form.most)
        case Length():
            return Field(min_length=form.least or None, max_length=form.most)
        case PassedBy():
            return AfterValidator(partial(_passed, form.check))
    raise TypeError(f"{form} is no form of a document's field")


def _passed(check: Callable[[str], object], value: str) -> str:
    check(value)
    return value


def field_sentences(kind: type[Any]) -> dict[str, str]:
    """The sentence under each field of a dataclass and of those that it is made of."""
    return {
        name: sentence
        for ancestor in reversed(kind.__mro__)
        if dataclasses.is_dataclass(ancestor)
        for name, sentence in _sentences_in(ancestor.__module__).get(ancestor.__name__, {}).items()
    }


@cache
def _sentences_in(module: str) -> dict[str, dict[str, str]]:
    """By class and field of a module; only its source has them, not its classes."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        node.name: dict(_sentences_of(node)) for node in tree.body if isinstance(node, ast.ClassDef)
    }


def _sentences_of(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, following in pairwise(node.body):
        match field, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(sentence))),
            ):
                yield name, " ".join(sentence.split())


TARIFF_DOCUMENT = model_of(TariffVersion)
CALENDAR_DOCUMENT = model_of(Calendar)


def check_tariff_shape(document: Mapping[str, Any]) -> None:
    """Rejected unless the document is of the published schema; what it means is the domain's."""
    _check_shape(TARIFF_DOCUMENT, document, "invalid_tariff", "the document is not a tariff")


def check_calendar_shape(document: Mapping[str, Any]) -> None:
    """Rejected unless the document is of the published schema; what it means is the domain's."""
    _check_shape(CALENDAR_DOCUMENT, document, "invalid_calendar", "the document is not a calendar")


def _check_shape(
    model: type[BaseModel], document: Mapping[str, Any], code: str, detail: str
) -> None:
    try:
        model.model_validate(document)
    except ValidationError as invalid:
        faults = tuple(
            Fault(_pointer(document, error["loc"]), error["msg"])
            for error in faults_of(invalid, document, model.model_validate)
        )
        raise Rejected(code, detail, faults) from None


def _pointer(document: Any, location: tuple[int | str, ...]) -> str:
    """The JSON pointer of a fault, without the names of kinds that pydantic puts between."""
    pointer, node = "/document", document
    for number, key in enumerate(location):
        if isinstance(node, list) and isinstance(key, int):
            node = node[key]
        elif isinstance(node, dict) and (key in node or number == len(location) - 1):
            node = node.get(key)
        else:
            continue
        pointer += f"/{key}"
    return pointer
