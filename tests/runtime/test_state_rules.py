"""What classes say about their states: the table that is made of it."""

from enum import Enum, auto
from typing import Any

import pytest

from relay_actors.runtime.state_rules import StateTable, diagram_of, in_any_state, in_state, on_enter, word_of


class Step(Enum):
    """Where somebody is."""

    IN = auto()
    OUT = "outside"


class Base:
    """Rules of every rank."""

    @in_state("a", int, str)
    def numbers_and_words(self, event: int | str) -> None: ...

    @in_state("a", bytes, where=lambda event: event == b"yes")
    def yes(self, event: bytes) -> None: ...

    @in_any_state(bytes, float)
    def anywhere(self, event: bytes | float) -> None: ...

    @in_state("b")
    def all_in_b(self, event: object) -> None: ...

    @in_state("b", list)
    @in_state("c", list)
    def lists(self, event: list[object]) -> None: ...

    @on_enter("b")
    def enter_b(self) -> None: ...


def table(cls: type) -> StateTable:
    return StateTable(cls, iter(["a"]))


@pytest.mark.parametrize(
    ("state", "event", "name"),
    [
        ("a", 1, "numbers_and_words"),
        ("a", "word", "numbers_and_words"),
        ("a", b"yes", "yes"),
        ("a", b"no", "anywhere"),
        ("b", b"no", "anywhere"),
        ("b", [], "lists"),
        ("b", {}, "all_in_b"),
        ("c", [], "lists"),
        ("c", {}, None),
        ("nowhere", 1.0, "anywhere"),
    ],
)
def test_the_more_special_rule_handles_an_event(state: str, event: object, name: str | None):
    """By its types before by none, by its state before by none; whatever the order in the text."""
    assert table(Base).handler(state, event) == name


def test_a_rule_for_everything_in_any_state_comes_last():
    class Last(Base):
        @in_any_state()
        def the_rest(self, event: object) -> None: ...

    assert [table(Last).handler(state, {}) for state in "abc"] == ["the_rest", "all_in_b", "the_rest"]


def test_what_is_overridden_keeps_its_rules_or_brings_its_own():
    """A method is found by its name, so an override is what is called."""

    class Silent(Base):
        def numbers_and_words(self, event: Any) -> None: ...

        @in_state("c", bytes)
        def yes(self, event: bytes) -> None: ...

    assert table(Silent).handler("a", 1) == "numbers_and_words"
    assert table(Silent).handler("a", b"yes") == "anywhere"
    assert table(Silent).handler("c", b"") == "yes"


def test_a_state_is_entered_by_one_method():
    """Which of two comes first would be anybody's guess."""
    assert (table(Base).enter("b"), table(Base).enter("a")) == ("enter_b", None)

    class Two(Base):
        @on_enter("b")
        def enter_b_as_well(self) -> None: ...

    with pytest.raises(TypeError, match="enter_b"):
        table(Two)


def test_states_are_known_that_are_named_and_all_of_an_enumeration():
    """So that a mistyped one is told."""

    class Steps:
        @in_state(Step.IN, int)
        def number(self, event: int) -> None: ...

    assert list(table(Base).known) == ["a", "b", "c"]
    assert list(StateTable(Steps, iter(["more"])).known) == ["more", Step.IN, Step.OUT]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: in_state("a", "hello"), "where=lambda event"),  # type: ignore[call-overload]
        (lambda: in_state(int), "state comes first"),
        (lambda: in_any_state(5), "no class"),  # type: ignore[call-overload]
        (lambda: in_state("a", int, where=5), "no function"),  # type: ignore[call-overload]
        (lambda: on_enter("a")(5), "method"),  # type: ignore[type-var]
        (lambda: in_state("a", int)(_waits), "async def run"),  # type: ignore[arg-type]
    ],
)
def test_a_mistake_is_told_at_its_line(wrong: Any, told: str):
    with pytest.raises(TypeError, match=told):
        wrong()


async def _waits(_self: object, _event: int) -> None: ...


def test_a_state_has_a_word_for_people():
    assert [word_of(state) for state in ("a", Step.IN, Step.OUT, 5)] == ["a", "in", "outside", "5"]


def test_moves_can_be_drawn():
    """In the words of Mermaid, which does not take every text as a name."""
    assert diagram_of(Step.IN, {Step.IN: [Step.OUT, Step.IN], Step.OUT: []}) == (
        "stateDiagram-v2\n"
        '    state "in" as s0\n'
        '    state "outside" as s1\n'
        "    [*] --> s0\n"
        "    s0 --> s1\n"
        "    s0 --> s0\n"
        "    s1 --> [*]\n"
    )
