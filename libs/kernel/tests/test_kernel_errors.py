"""A business answer of "no": what it says, wherever it is carried."""

import pickle

import pytest

from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected

FAULTS = (Fault("/0/id", "is taken"), Fault("/12", "is odd"))


@pytest.mark.parametrize("kind", [Rejected, NotFound, Conflict])
def test_an_answer_goes_from_process_to_process_as_it_is(kind):
    error = pickle.loads(pickle.dumps(kind("odd", "it is odd", FAULTS)))  # noqa: S301 - our own
    assert type(error) is kind
    assert (error.code, error.detail, error.faults) == ("odd", "it is odd", FAULTS)
    assert str(error) == "it is odd"


@pytest.mark.parametrize(
    ("path", "to", "paths"),
    [("", "/items", ["/items/0/id", "/items/12"]), ("/0", "", ["/id", "/12"])],
)
def test_its_faults_are_reported_where_the_caller_has_them(path, to, paths):
    error = Conflict("odd", "it is odd", FAULTS).relocated(path, to)
    assert (type(error), error.code, error.detail) == (Conflict, "odd", "it is odd")
    assert [fault.path for fault in error.faults] == paths
