"""What follows an error, by its class."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.directives import Directive, directive_for, directives_problem
from relay_actors.runtime.reasons import ChildFailed, ExitKind, ExitReason
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.supervisor import Child, Supervisor
from tests.runtime.worlds import Parent, Recorder, World, crash, fail, spawn

TRANSIENT = ChildSpec(restart=Restart.TRANSIENT)
LADDER = [BaseException, Exception, OSError, ConnectionError, ConnectionResetError]
"""Each is a subclass of the one before."""


def error(cause: BaseException, kind: ExitKind = "error") -> ExitReason:
    return ExitReason(kind, cause=cause)


@given(st.dictionaries(st.sampled_from(LADDER), st.sampled_from(list(Directive))), st.sampled_from(LADDER))
def test_the_most_specific_class_wins(directives: dict[type[BaseException], Directive], raised: type[BaseException]):
    """S12: whatever the order in which they were written down; no match is a restart."""
    matching = [cls for cls in LADDER if cls in directives and issubclass(raised, cls)]
    expected = directives[matching[-1]] if matching else Directive.RESTART

    assert directive_for(directives, error(raised())) is expected
    assert directive_for(dict(reversed(directives.items())), error(raised())) is expected


def test_the_nearest_of_several_bases_wins():
    """S12: by the order in which Python would look, so that it is never a matter of luck."""

    class BothError(KeyError, OSError):
        pass

    directives = {OSError: Directive.STOP, LookupError: Directive.ESCALATE}
    assert directive_for(directives, error(BothError())) is Directive.ESCALATE
    assert directive_for({**directives, KeyError: Directive.RESUME}, error(BothError())) is Directive.RESUME


def test_only_what_was_raised_has_directives():
    """S12: an exit in order, and a kill, are a matter of the restart type alone."""
    directives = {BaseException: Directive.STOP}
    for kind in ("normal", "shutdown", "killed", "lost"):
        assert directive_for(directives, ExitReason(kind, cause=OSError())) is Directive.RESTART
    assert directive_for(directives, ExitReason("error")) is Directive.RESTART


def test_a_start_that_failed_cannot_be_resumed():
    """S12: there is nothing that could go on."""
    directives = {OSError: Directive.RESUME}
    assert directive_for(directives, error(OSError(), "start_failed")) is Directive.RESTART
    assert directive_for({OSError: Directive.STOP}, error(OSError(), "start_failed")) is Directive.STOP


@pytest.mark.parametrize(
    ("directives", "problem"),
    [
        (None, "a mapping"),
        ([OSError], "a mapping"),
        ({"OSError": "stop"}, "exception classes"),
        ({int: "stop"}, "exception classes"),
        ({OSError: "halt"}, "'halt' is none of these"),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_class_is_made(directives: Any, problem: str):
    """Not at the first crash, which may be in a year."""
    assert problem in str(directives_problem(directives))
    with pytest.raises(TypeError, match=rf"Wrong\.directives must be .*{problem}"):
        type("Wrong", (Actor,), {"directives": directives})


def test_words_are_as_good_as_members():
    """A directive may be written as text."""
    assert directives_problem({OSError: "stop"}) is None
    assert directive_for({OSError: "stop"}, error(OSError())) is Directive.STOP  # type: ignore[dict-item]


# -- the machinery does it


def parent_with(world: World, directives: dict[type[BaseException], Directive], log: list[Any] | None = None) -> Any:
    return world.start(type("Directing", (Parent,), {"directives": directives}), log)


def test_a_resumed_child_keeps_its_state_and_loses_the_message(world: World):
    """S12: same object, same timers, the messages behind it in order; it counts as no restart."""
    parent = parent_with(world, {ValueError: Directive.RESUME})
    log: list[Any] = []
    child = spawn(parent, Recorder, log, spec=TRANSIENT)
    child.ask(lambda actor: actor.start_timer("tick", "tick", 1.0), timeout=0)
    before = child._cell.actor
    for number in range(10):
        child.tell(crash())
        child.tell(number)
    world.advance(1.0)

    assert child._cell.actor is before
    assert child.incarnation == 0
    assert [entry for entry in log if not isinstance(entry, tuple)] == ["start", *range(10), "tick"]
    assert log.count(("failure", "crash")) == 10
    assert world.counters.snapshot()["actors.resumed"] == 10
    assert parent.is_alive()


def test_a_temporary_child_can_be_resumed(world: World):
    """S12: nothing is restarted by that."""
    child = spawn(parent_with(world, {ValueError: Directive.RESUME}), Recorder, [])
    child.tell(crash())
    world.settle()

    assert child.ask("a", timeout=0) == "a"


def test_stop_ends_also_a_permanent_child(world: World):
    """S12: and the parent is told, as of every one that is given up."""
    log: list[Any] = []
    parent = parent_with(world, {OSError: Directive.STOP}, log)
    child = spawn(parent, Recorder, [], spec=ChildSpec(restart=Restart.PERMANENT))
    child.tell(crash())
    world.settle()
    assert child.incarnation == 1
    child.tell(fail(FileNotFoundError("gone")))
    world.settle()

    assert not child.is_alive()
    assert [entry.reason.cause.args for entry in log if isinstance(entry, ChildFailed)] == [("gone",)]


def test_escalation_fails_the_supervisor_with_the_very_same_error(world: World):
    """S13: so that each level above decides by the class of what was raised at the bottom."""

    class Middle(Parent):
        directives = {OSError: Directive.ESCALATE}  # noqa: RUF012

    class Top(Parent):
        directives = {ConnectionError: Directive.STOP, OSError: Directive.RESTART}  # noqa: RUF012

    log: list[Any] = []
    top = world.start(Top, log)
    middle = spawn(top, Middle, [], spec=ChildSpec(restart=Restart.PERMANENT))
    child = spawn(middle, Recorder, [], spec=TRANSIENT)
    child.tell(fail(PermissionError("no")))
    world.settle()
    assert (child.is_alive(), middle.is_alive(), middle.incarnation) == (False, True, 1)

    child = spawn(middle, Recorder, [], spec=TRANSIENT)
    original = ConnectionResetError("gone")
    original.__cause__ = cause = EOFError("because of this")
    child.tell(fail(original))
    world.settle()
    assert not middle.is_alive()
    [told] = [entry for entry in log if isinstance(entry, ChildFailed)]
    assert told.reason.cause is original
    assert told.reason.cause.__cause__ is cause
    assert told.reason.detail == f"escalated by {child._cell}"
    assert child._cell.exit_reason.cause is original
    assert top.is_alive()


def test_the_way_of_an_escalation_over_levels_can_be_read(world: World):
    """S13: nobody below is lost from the story; without a parent the topmost ends with it."""
    passing = {OSError: Directive.ESCALATE}
    top = parent_with(world, passing)
    middle = spawn(top, type("Middle", (Parent,), {"directives": passing}), [])
    child = spawn(middle, Recorder, [])
    child.tell(fail(OSError("deep")))
    world.settle()

    assert not top.is_alive()
    assert (
        str(top._cell.exit_reason) == f"error (escalated by {middle._cell} (escalated by {child._cell})) OSError: deep"
    )
    assert world.system.actor_count == 0


def test_a_static_supervisor_that_was_failed_by_escalation_starts_all_its_children_again(world: World):
    """S13: its parent restarts it, and so the whole of it."""
    log: list[Any] = []

    class Escalating(Supervisor):
        directives = {OSError: Directive.ESCALATE}  # noqa: RUF012

    children = [Child(id=name, actor_class=Recorder, args=(log,)) for name in "ab"]
    supervisor = spawn(world.start(Parent), Escalating, children, spec=ChildSpec(restart=Restart.PERMANENT))
    world.settle()
    a, b = supervisor.child("a"), supervisor.child("b")
    log.clear()
    b.tell(fail(OSError("no")))
    world.settle()

    assert supervisor.incarnation == 1
    assert [a.is_alive(), b.is_alive()] == [False, False]
    assert [line.state for line in supervisor.which_children()] == ["running", "running"]
    assert log == [("failure", "no"), "stop", "stop", "start", "start"]
