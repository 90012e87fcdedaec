"""What handlers of calls pipe to themselves: one message comes of it, also if the process ends meanwhile. Layer: hall.

A handler is not run again, so nobody asks again: the next process says to it that what was asked for has failed.
Source: SEMANTICS A12, J4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from relay_actors.actors.course import Course, Pipe
from relay_actors.actors.packing import found_by, name_of
from relay_actors.errors import ActorDead
from relay_actors.runtime.future import Future
from relay_actors.runtime.piping import PipeFailed

__all__ = ["fail_lost_pipes", "keep_pipe", "pipe_is_done", "pipes_again", "plain_pipes"]


def keep_pipe(
    actor: Any,
    ok: Callable[[Any], object] | None,
    err: Callable[[Any], object] | None,
    begin: Callable[[Callable[[Any], object], Callable[[Any], object]], None],
    *,
    survives: bool,
) -> None:
    """Pipe something to a call, and have the journal know of it as long as it has not come. In the turn.

    Args:
        actor: the call's.
        ok: makes the message of the value, or None.
        err: makes the message of the error, or None.
        begin: pipes it, with functions like these in their place.
        survives: whether a later incarnation takes it.
    """
    course: Course = actor.leg.course
    name = f"{course.beginnings}.{course.next('pipes')}"

    def instead_of(make: Callable[[Any], object]) -> Callable[[Any], object]:
        def made(what: Any) -> object:
            pipe_is_done(course, name)
            course.piping = name  # noted with the message that comes of it, or the process could end in between
            return make(what)

        return made

    begin(instead_of(ok or _itself), instead_of(err or PipeFailed))
    course.pipes = {**course.pipes, name: Pipe(_name(actor, err), survives)}


def pipe_is_done(course: Course, name: str) -> None:
    """What was piped has come."""
    course.pipes = {known: pipe for known, pipe in course.pipes.items() if known != name}


def plain_pipes(course: Course) -> dict[str, object]:
    """Return what is still to come, as plain data."""
    return {name: [pipe.err, pipe.survives] for name, pipe in course.pipes.items()}


def pipes_again(plain: Mapping[str, Any]) -> dict[str, Pipe]:
    """Return what was still to come when the process has ended, of `plain_pipes`."""
    return {name: Pipe(err, survives, is_lost=True) for name, (err, survives) in plain.items()}


def fail_lost_pipes(actor: Any) -> None:
    """Let come what will not come any more, as failed. In the turn in which the call is live again."""
    course: Course = actor.leg.course
    for name, pipe in tuple(course.pipes.items()):
        if pipe.is_lost:
            pipe_is_done(course, name)
            lost: Future[Any] = Future(actor.runs_on)
            lost.try_fail(ActorDead("the process has ended before this came, which was piped to the call"))
            make = found_by(pipe.err) if pipe.err else None
            actor.pipe_to_self(lost, err=make if callable(make) else None, survive_restart=pipe.survives)


def _itself(value: object) -> object:
    return value


def _name(actor: Any, err: Callable[[Any], object] | None) -> str:
    if err is None:
        return ""
    try:
        name = name_of(err)
    except AttributeError:  # a partial, or any other object that can be called
        name = ""
    if name and found_by(name) is err:
        return name
    why = "it is not found by its name; PipeFailed comes in its place"
    actor.office.doubts.look_at_arranged(type(actor).__name__, "pipe_to_self(err=…)", why)
    return ""
