"""The list of where we differ from pykka on purpose; `make pykka-suite` checks that each still holds."""

import re

from tests.pykka_suite.differences import DIFFERENCES
from tests.test_docs import guarantees


def test_each_difference_has_the_code_of_a_promise_and_a_reason():
    """A difference that no promise asks for would be a fault."""
    assert {code for code, _why in DIFFERENCES.values()} <= guarantees().keys()
    assert all(why for _code, why in DIFFERENCES.values())


def test_each_difference_names_one_test():
    """By file and function, as pytest does."""
    assert all(re.fullmatch(r"(proxy/)?test_\w+\.py::test_\w+", name) for name in DIFFERENCES)
