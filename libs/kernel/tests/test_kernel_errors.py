"""A business answer of "no": what it says, wherever it is carried."""

import pickle

import pytest

from kernel.errors import Conflict, Fault, NotFound, Rejected

FAULTS = (Fault("/0/id", "is taken"), Fault("/12", "is odd"))


@pytest.mark.parametrize("kind", [Rejected, NotFound, Conflict])
def test_an_answer_goes_from_process_to_process_as_it_is(kind):
    found = pickle.loads(pickle.dumps(kind("odd", "it is odd", FAULTS)))  # noqa: S301 - our own
    assert type(found) is kind
    assert (found.code, found.detail, found.faults) == ("odd", "it is odd", FAULTS)
    assert str(found) == "it is odd"


@pytest.mark.parametrize(
    ("path", "to", "paths"),
    [("", "/items", ["/items/0/id", "/items/12"]), ("/0", "", ["/id", "/12"])],
)
def test_its_faults_are_told_where_the_caller_has_them(path, to, paths):
    found = Conflict("odd", "it is odd", FAULTS).moved(path, to)
    assert (type(found), found.code, found.detail) == (Conflict, "odd", "it is odd")
    assert [fault.path for fault in found.faults] == paths
