"""What can be asked in JSON is what the methods' signatures say: a method that is added can be asked for at once."""

import inspect
from collections.abc import Callable, Mapping
from random import Random

import pytest

from relay_actors.cli.control_words import Word, WrongArgumentsError, word_of, words_of
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.agents import Turn
from relay_actors.simulator.lines import Line
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=SystemClock(), random=Random(1))


class Teller:
    """Somebody with methods of every kind."""

    def tells(self, what: str, /, *more: Turn | str, loud: bool = False, within: float | None = None) -> list[object]:
        """Tell it, `loud` or not.

        It takes ``a while``.

        Args:
            what: the story,
                in words.
            loud: whether everybody hears it.

        Raises:
            StoryError: nobody listens.
        """
        return [what, more, loud, within]

    def meets(self, other: Phone | Line, place: int = 1) -> tuple[object, int]:
        """Meet."""
        return other, place

    def listens(self, to: Callable[[], None]) -> None:
        """Cannot be asked for: a function has no JSON form."""

    def knows(self, **facts: object) -> Mapping[str, object]:
        """Know anything."""
        return facts

    def _thinks(self) -> None:
        """Nobody's business."""


WORDS = words_of(Teller)


def test_a_word_is_what_its_method_says():
    assert list(WORDS) == ["tells", "meets", "knows"]
    tells = WORDS["tells"]
    assert (tells.summary, tells.text) == ("Tell it, `loud` or not.", "It takes `a while`.")
    assert tells.complaints == {"StoryError": "nobody listens."}
    assert tells.schema["required"] == ["what"]
    assert tells.schema["properties"]["what"] == {"type": "string", "description": "the story, in words."}
    assert tells.schema["properties"]["loud"] == {
        "type": "boolean",
        "default": False,
        "description": "whether everybody hears it.",
    }
    assert tells.schema["properties"]["within"]["type"] == ["number", "null"]
    assert tells.schema["properties"]["more"]["type"] == "array"
    assert WORDS["knows"].schema["additionalProperties"] is True


def test_arguments_of_every_kind_arrive(simulator: Simulator):
    """By position only, as a list of the rest, by name only, left out, and any at all."""
    teller = Teller()
    given = {"what": "once", "more": ["upon", {"says": "a time", "hears": None}], "within": None}
    assert WORDS["tells"].call(teller, given, simulator) == ["once", ("upon", Turn("a time")), False, None]
    assert WORDS["tells"].call(teller, {"what": "x", "loud": True}, simulator) == ["x", (), True, None]
    assert WORDS["knows"].call(teller, {"anything": [1]}, simulator) == {"anything": [1]}
    other, place = WORDS["meets"].call(teller, {"other": "+15550001111"}, simulator)  # type: ignore[misc]
    assert (other, place) == (simulator.phone("+15550001111"), 1)


@pytest.mark.parametrize(
    ("word", "given", "said"),
    [
        ("tells", {}, "tells needs what; it takes: what, more, loud, within"),
        ("tells", {"what": "x", "lod": True}, "tells takes no argument 'lod'; it probably means 'loud'"),
        ("tells", {"what": "x", "zzz": 1}, "tells takes no argument 'zzz'; it takes: what, more, loud, within"),
        ("tells", {"what": 5}, "what of tells must be text, not 5"),
        ("tells", {"what": "x", "loud": 1}, "loud of tells must be true or false, not 1"),
        ("tells", {"what": "x", "within": True}, "within of tells must be a number, 0 or more or null, not true"),
        ("tells", {"what": "x", "within": -1}, "within of tells must be"),
        ("tells", {"what": "x", "within": 1e300}, "within of tells must be"),
        ("tells", {"what": "x", "more": "y"}, "more of tells must be a list, each an object of says"),
        ("tells", {"what": "x", "more": [{"sings": "y"}]}, "more of tells must be a list"),
        ("meets", {"other": ""}, 'other of meets must be text, not ""'),
        ("meets", {"other": "+1", "place": 10**9}, "place of meets must be a whole number, not 1000000000"),
        ("meets", {"other": "+1", "place": 1.5}, "place of meets must be a whole number, not 1.5"),
        ("meets", {"other": "+1", "place": "1" * 100}, f'place of meets must be a whole number, not "{"1" * 58}…'),
    ],
)
def test_a_wrong_argument_is_named_with_the_right_ones(
    simulator: Simulator, word: str, given: dict[str, object], said: str
):
    with pytest.raises(WrongArgumentsError) as wrong:
        WORDS[word].call(Teller(), given, simulator)
    assert str(wrong.value).startswith(said)
    assert list(wrong.value.takes) == [argument.name for argument in WORDS[word].arguments]


def test_a_method_that_only_passes_on_has_the_docstring_of_the_other():
    """Whoever reads the list of verbs wants to know what happens, and not on which object."""
    word, own = words_of(Line, Phone)["hears"], words_of(Line)["hears"]
    assert word.function is Phone.hears
    assert (word.summary, word.text, word.complaints) == (own.summary, own.text, own.complaints)
    assert {one.name: one.text for one in word.arguments} == {one.name: one.text for one in own.arguments}


def test_a_new_method_is_a_word_at_once(monkeypatch: pytest.MonkeyPatch):
    """Nothing is listed by hand."""

    def sings(self: Phone, song: str = "la") -> Phone:
        """Sing."""
        return self

    monkeypatch.setattr(Phone, "sings", sings, raising=False)
    assert words_of(Line, Phone)["sings"].schema["properties"] == {"song": {"type": "string", "default": "la"}}


def test_a_method_without_a_docstring_is_a_word():
    def waves(self: object) -> None: ...

    word = word_of(waves)
    assert word is not None
    assert (word.name, word.summary, word.returns) == ("waves", "", None)


def test_an_argument_that_has_no_json_form_may_be_left_out(simulator: Simulator):
    def waves(self: object, *, how: bytes = b"much") -> bytes:
        return how

    word = word_of(waves, "nods")
    assert isinstance(word, Word)
    assert (word.name, word.arguments) == ("nods", ())
    assert word.call(object(), {}, simulator) == b"much"
    assert inspect.signature(waves).parameters["how"].default == b"much"
