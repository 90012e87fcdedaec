"""What is told of each difference."""

import inspect
import re

import pytest

from relay_actors import LeaveUp
from relay_actors.cli.migrate_remarks import REMARKS, Remark
from relay_actors.client import RelayClient
from relay_actors.errors import CallEnded
from relay_actors.events import CollectEvent

SETTINGS = inspect.signature(RelayClient).parameters


def test_they_are_sorted_for_whoever_looks_for_one():
    assert list(REMARKS) == sorted(REMARKS, key=str.casefold)


@pytest.mark.parametrize("remark", REMARKS.values(), ids=list(REMARKS))
def test_a_remark_is_told_in_short_lines(remark: Remark):
    """Each begins a line of its own, behind a label; none is a sentence with a full stop."""
    texts = (remark.what, remark.there, remark.here, remark.instead)

    assert all(texts[:3])
    assert [text for text in texts if len(text) > 105 or text.endswith(".")] == []


def test_what_is_to_be_written_is_there():
    """Whatever else of ours the texts name."""
    text = "\n".join(remark.instead + remark.here for remark in REMARKS.values())

    assert f"{CallEnded.__name__}, of {CallEnded.__module__}" in text
    assert f"{LeaveUp.__name__}()" in text
    assert "event.digits" in text
    assert hasattr(CollectEvent, "digits")


def test_settings_that_are_to_be_written_are_there():
    remarks = [remark.instead for remark in REMARKS.values() if "RelayClient(" in remark.instead]
    named = {name for text in remarks for name in re.findall(r"\b(\w+)=", text)}

    assert "isolation" in named
    assert named <= set(SETTINGS)
