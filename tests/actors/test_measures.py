"""The table of numbers is what the code counts."""

import re

from relay_actors.actors.measures import METRICS
from tests.support.house import read_package

COUNTED = re.compile(r"hooks\.count\(\s*\"([\w.]+)\"")


def test_whatever_the_code_counts_is_in_the_table():
    """A number that nobody explains is not looked at. Add it to the table of its layer."""
    counted = {name for module in read_package() for name in COUNTED.findall(module.text)}
    assert len(counted) > 10
    assert counted - METRICS.keys() == set()


def test_whatever_is_in_the_table_is_explained_in_one_sentence():
    for name, metric in METRICS.items():
        assert re.fullmatch(r"[A-Z1-9][^.]*\.", metric.help), name
        assert (metric.kind == "histogram") <= bool(metric.label), name
