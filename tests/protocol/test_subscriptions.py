"""The effective set of contexts follows what was wished and not refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ConfigError
from relay_actors.protocol.subscriptions import Subscriptions, context_names


def test_repeated_contexts_count_once_and_keep_their_order():
    assert context_names(["b", "a", "b"]) == ("b", "a")
    assert Subscriptions(["b", "a", "b"]).effective == ("b", "a")


@pytest.mark.parametrize("bad", ["support", [""], ["a", None], [1]])
def test_what_is_no_list_of_names_is_refused(bad):
    """``contexts="support"`` would else subscribe to s, u, p, o, r and t."""
    with pytest.raises(ConfigError, match="contexts="):
        context_names(bad)


def test_a_change_counts_before_it_is_answered():
    """The next log in may come first (PROTOCOL 3.5)."""
    wanted = Subscriptions(["a"])
    wanted.change("1", ("b",), adds=True)
    wanted.change("2", ("a",), adds=False)
    assert wanted.effective == ("b",)


def test_a_refused_change_never_happened():
    wanted = Subscriptions(["a"])
    wanted.change("1", ("a", "b"), adds=True)
    wanted.change("2", ("a",), adds=False)
    wanted.settle("1", refused=True)
    wanted.settle("2", refused=True)
    assert wanted.effective == ("a",)


def test_two_wishes_for_one_context_survive_the_refusal_of_one():
    wanted = Subscriptions()
    wanted.change("1", ("a",), adds=True)
    wanted.change("2", ("a",), adds=True)
    wanted.settle("1", refused=True)
    wanted.settle("2", refused=False)
    assert wanted.effective == ("a",)


def test_answers_that_overtake_each_other_do_not_reorder_the_changes():
    wanted = Subscriptions()
    wanted.change("1", ("a",), adds=True)
    wanted.change("2", ("a",), adds=False)
    wanted.settle("2", refused=False)
    wanted.settle("1", refused=False)
    assert wanted.effective == ()


def test_settling_what_is_no_change_is_no_matter():
    wanted = Subscriptions(["a"])
    wanted.settle("play", refused=True)
    assert wanted.effective == ("a",)


@given(
    st.lists(st.tuples(st.booleans(), st.sets(st.sampled_from("abcd"), min_size=1), st.booleans()), max_size=12),
    st.randoms(use_true_random=False),
)
def test_the_order_of_answers_does_not_matter(changes, random):
    """The effective set is the accepted changes in the order of asking."""
    wanted = Subscriptions(["a", "b"])
    expected = {"a", "b"}
    for number, (adds, names, refused) in enumerate(changes):
        wanted.change(str(number), tuple(sorted(names)), adds=adds)
        if not refused:
            expected = expected | names if adds else expected - names
    order = list(range(len(changes)))
    random.shuffle(order)
    for number in order:
        wanted.settle(str(number), refused=changes[number][2])
    assert set(wanted.effective) == expected
    assert not wanted._changes
