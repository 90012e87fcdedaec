"""The machinery of ``make mutants``, and a few of its faults: all of them take minutes."""

import ast
import shutil
from pathlib import Path

import pytest

from relay_actors.cli.chaos import quieten
from tests.mutants.__main__ import try_seeds
from tests.mutants.application import app
from tests.mutants.judge import judged
from tests.mutants.models import MODELS, follow
from tests.mutants.mutations import MUTATIONS, Mutation, apply
from tests.mutants.plans import draw
from tests.support.house import REPOSITORY

SOUND = range(20)
"""Seeds by which people hear of everything at least once, and much goes wrong."""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    """The application crashes on purpose, and the log is not to be filled by that."""
    quieten()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_fault_fits_in_exactly_one_place(mutation: Mutation, tmp_path: Path):
    """The list follows the code, or a fault would silently be none."""
    path = tmp_path / mutation.file
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "relay_actors" / mutation.file, path)
    before = path.read_text()
    apply(mutation, tmp_path)
    assert ast.dump(ast.parse(path.read_text())) != ast.dump(ast.parse(before))


def test_a_fault_that_fits_nowhere_or_twice_is_told(tmp_path):
    """Whoever changes the code is told which line of the list has to follow."""
    (tmp_path / "code.py").write_text("one = 1\ntwo = 1\n")
    with pytest.raises(
        ValueError,
        match=r"mutation odd: its text occurs 2 times in code\.py, and must once",
    ):
        apply(Mutation("odd", "S1", "", "code.py", "= 1", "= 2"), tmp_path)


def test_faults_have_names_of_their_own():
    """The command line finds them by it."""
    names = [mutation.name for mutation in MUTATIONS]
    assert len(names) == len(set(names)) >= 30


def test_the_judge_finds_nothing_wrong_with_sound_code():
    """An alarm that means nothing would hide one that does."""
    for seed in SOUND:
        assert [str(broken) for broken in judged(draw(seed)).broken] == []


def test_every_context_of_the_application_has_a_model():
    """Nobody calls where nobody listens to what is heard."""
    assert set(app.handlers[0]) == set(MODELS)


@pytest.mark.parametrize("name", ["ack-forgotten", "early-events-dropped", "mailbox-turned-round"])
def test_a_fault_is_noticed(name):
    """What `make mutants` does with all of them."""
    [mutation] = [mutation for mutation in MUTATIONS if mutation.name == name]
    outcome = try_seeds(mutation, range(20))
    assert outcome.seed is not None, outcome.how
    assert outcome.by != "crash", outcome.how


# What the judge compares with, by itself.


def test_a_model_is_followed_to_its_end():
    """What is pressed decides what is to be heard."""
    story = ["heard 'The menu?'", "pressed 2", "heard 'Goodbye.'"]
    assert follow(MODELS["transfer"](0), story) == ("", True)


def test_a_story_that_breaks_off_is_right_and_not_complete():
    """Who hangs up has heard nothing wrong."""
    assert follow(MODELS["menu"](0), ["heard 'Question 1?'", "pressed 2"]) == (
        "",
        False,
    )


def test_other_words_than_the_model_has_are_told():
    """Also when they are told one too early."""
    story = ["heard 'Question 1?'", "pressed 2", "heard 'You pressed 3.'"]
    assert follow(MODELS["menu"](0), story) == (
        "heard 'You pressed 3.' after 'Question 1?'",
        False,
    )


def test_keys_to_which_nobody_has_listened_do_not_count():
    """They come to nothing."""
    story = [
        "heard 'Question 1?'",
        "pressed 2 (nobody listened)",
        "heard 'You pressed nothing.'",
    ]
    assert follow(MODELS["menu"](0), story)[0] == ""
