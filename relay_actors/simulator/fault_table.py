"""All faults of the simulator by their names, each with its arguments: one table for whoever injects them.

The command line, a pytest marker, JSON over HTTP and random schedules read it; `Mishaps.inject` does what it says.
Layer: simulator, pure. Source: PROTOCOL 19.3, SEMANTICS V4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from relay_actors.protocol.frames import LARGEST_BYTES
from relay_actors.simulator.damages import BECOMES
from relay_actors.simulator.faults import ANYTHING
from relay_actors.simulator.odd_frames import NO_FRAMES

__all__ = ["FAULT_WORDS", "REQUIRED", "Argument", "FaultWord", "Kind"]

Kind: TypeAlias = Literal["method", "event type", "text", "seconds", "whole number", "flag", "code", "choice"]
"""What an argument is: a ``code`` is a result code, or below 0 a JSON-RPC error code."""

REQUIRED: Final = object()
"""In place of a default: the argument must be given."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a fault.

    Attributes:
        name: as it is written, and as the simulator's method calls it.
        default: None means without an end or a choice, if the meaning says nothing else; `REQUIRED`: there is none.
        meaning: in one line.
        choices: of a ``choice``.
    """

    name: str
    kind: Kind
    default: object
    meaning: str
    choices: tuple[str, ...] = ()

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class FaultWord:
    """One fault.

    Attributes:
        meaning: in one line.
        calls: the method of `Simulator` that does it.
        fixed: what that method is given besides the arguments.
        is_survivable: a correct client recovers from it, at least with such arguments as `random_fault` draws. False
            also for what only the race catalogue asks for, so that it is not drawn.
        ends_session: the client's calls are lost to it, since its session is; ``restart`` does it only if told to.
    """

    name: str
    meaning: str
    calls: str
    arguments: tuple[Argument, ...] = ()
    fixed: Mapping[str, object] = field(default_factory=dict)
    is_survivable: bool = True
    ends_session: bool = False


def _choice(name: str, default: str, meaning: str, choices: Sequence[str]) -> Argument:
    return Argument(name, "choice", default, meaning, tuple(choices))


_METHOD: Final = Argument("method", "method", ANYTHING, "of the request; `*` is any")
_EVENT_TYPE: Final = Argument("event_type", "event type", ANYTHING, "of the event; `*` is any")
_TIMES: Final = Argument("times", "whole number", 1, "how often")
_CLEAN: Final = Argument("clean", "flag", False, "with a goodbye, not by a reset")
_LASTS: Final = Argument("seconds", "seconds", None, "how long; without it until `Simulator.recover`")
_DIRECTION: Final = _choice("direction", "both", "`in` is from clients, `out` is to them", ("in", "out", "both"))
_COPY: Final = Argument("copy", "flag", False, "the event stays whole, and a damaged copy goes before it")
_FIELD: Final = Argument(
    "field", "text", REQUIRED, "of the event's own params or its envelope: `state`, `call.call_id`"
)

_WORDS: Final = (
    FaultWord(
        "cut",
        "the connection is cut where the next frame that is as said is about to cross",
        "cut_at",
        (
            Argument("method", "method", ANYTHING, "of the request, or (`answer`) of what is answered"),
            Argument("event_type", "event type", ANYTHING, "of the event, or (`answer`) of what is acknowledged"),
            Argument("state", "text", "", "of the event"),
            Argument(
                "number", "whole number", None, "of the frame, from 0 on, all connections and directions together"
            ),
            Argument("skip", "whole number", 0, "how many such frames still cross"),
            Argument("answer", "flag", False, "its answer is meant"),
            _DIRECTION,
            Argument("after", "flag", False, "the frame still crosses, but nothing that comes of it"),
            _CLEAN,
        ),
    ),
    FaultWord("drop", "all connections are closed; new ones are taken at once", "drop_sockets", (_CLEAN,)),
    FaultWord("socket_down", "all connections are closed, and none is taken", "refuse_sockets", (_LASTS, _CLEAN)),
    FaultWord(
        "half_open",
        "nothing crosses the connections that are open now, and they stay open",
        "half_open",
        (
            _LASTS,
            _DIRECTION,
            _choice(
                "ends", "heals", "what has waited then crosses, or is lost with the connection", ("heals", "breaks")
            ),
        ),
    ),
    FaultWord("stall", "the server reads nothing, then goes on in order", "stall", (_LASTS,)),
    FaultWord(
        "slow",
        "every frame, or every answer, takes longer",
        "slow_down",
        (
            Argument("seconds", "seconds", REQUIRED, "how much longer each takes"),
            _choice("what", "frames", "what is slow; events overtake slow `answers`", ("frames", "answers")),
            _DIRECTION,
            Argument("lasts", "seconds", None, "how long; without it until `Simulator.recover`"),
        ),
    ),
    FaultWord(
        "reject",
        "the next requests are refused",
        "reject_next",
        (
            _METHOD,
            Argument("code", "code", "500", "result code; one below 0 is a JSON-RPC error"),
            Argument("message", "text", "Internal error", "of the refusal"),
            _TIMES,
        ),
    ),
    FaultWord(
        "time_out",
        "the next requests are not answered",
        "stop_answering",
        (
            _METHOD,
            Argument("but_do_it", "flag", False, "they are carried out"),
            Argument("times", "whole number", 1, "how many; `none`: all until `Simulator.recover`"),
        ),
    ),
    FaultWord(
        "answer_late",
        "the next answers come late",
        "answer_late",
        (_METHOD, Argument("seconds", "seconds", REQUIRED, "how late"), _TIMES),
    ),
    FaultWord("answer_twice", "the next answer comes twice", "answer_twice", (_METHOD,)),
    FaultWord(
        "delay",
        "the next event comes late",
        "delay_next",
        (
            _EVENT_TYPE,
            Argument("seconds", "seconds", REQUIRED, "how late"),
            Argument("keeps_order", "flag", False, "only events of other calls and operations overtake it"),
        ),
    ),
    FaultWord(
        "reorder",
        "the next event changes places with a later one of another call or operation",
        "reorder_next",
        (_EVENT_TYPE, Argument("within", "seconds", 1.0, "it comes then, if there is none")),
    ),
    FaultWord("duplicate", "the next event comes twice, under one frame id", "duplicate_next", (_EVENT_TYPE,)),
    FaultWord(
        "leave_out",
        "the next event is not sent at all; of a state that may be skipped, that is as it should be",
        "leave_out_next",
        (_EVENT_TYPE,),
        is_survivable=False,
    ),
    FaultWord(
        "repeat",
        "the next event comes once more, in a frame of its own",
        "repeat_next",
        (_EVENT_TYPE, Argument("state", "text", "", "of the repetition; without it the same")),
        is_survivable=False,
    ),
    FaultWord(
        "add_fields",
        "the next event has fields that no client knows",
        "add_fields_next",
        (_EVENT_TYPE,),
        is_survivable=False,
    ),
    FaultWord(
        "missing_field",
        "the next event that has the field comes without it",
        "damage_next",
        (_EVENT_TYPE, _FIELD, _COPY),
        {"becomes": "missing"},
    ),
    FaultWord(
        "wrong_field",
        "a field of the next event that has it is of a wrong type",
        "damage_next",
        (
            _EVENT_TYPE,
            _FIELD,
            _choice("becomes", "other", "its type; `other`: a number for text, text for all else", ("other", *BECOMES)),
            _COPY,
        ),
    ),
    FaultWord("binary", "the next event comes as a binary message", "binary_next", (_EVENT_TYPE,)),
    FaultWord(
        "malformed",
        "every client gets a text that is no frame",
        "push_odd",
        (_choice("what", "cut_short", "what is wrong with it", tuple(NO_FRAMES)),),
    ),
    FaultWord(
        "oversize",
        "every client gets a frame that is too large, by which its connection breaks",
        "push_oversize",
        (Argument("size", "whole number", LARGEST_BYTES + 1, "of the frame, in bytes"),),
    ),
    FaultWord(
        "unknown_event",
        "every client gets an event of an unknown type, about its latest call if it has one",
        "push_odd",
        (Argument("name", "text", "", "of the type; without it one that is made up"),),
        {"what": "unknown_event"},
    ),
    FaultWord(
        "unknown_method",
        "every client gets a request with an unknown method",
        "push_odd",
        (Argument("name", "text", "", "of the method; without it one that is made up"),),
        {"what": "unknown_method"},
    ),
    FaultWord(
        "restart",
        "the server goes down and comes back",
        "restart",
        (
            Argument("keeps_sessions", "flag", True, "they can be resumed"),
            Argument("announced", "flag", True, "clients are told before, and closed cleanly"),
            Argument("seconds", "seconds", 0.0, "until connections are taken again"),
        ),
        ends_session=True,
    ),
    FaultWord(
        "refuse_resume",
        "the next log-ins that resume a session are refused, and it is forgotten",
        "refuse_resumes",
        (_TIMES,),
        ends_session=True,
    ),
    FaultWord(
        "expire_authorization",
        "what is asked for is refused by -32401, and so is the resume; who logs in anew is taken",
        "expire_authorization",
        (Argument("closes", "flag", True, "the connection is closed after the first refusal"),),
        ends_session=True,
    ),
)

FAULT_WORDS: Final[Mapping[str, FaultWord]] = {word.name: word for word in _WORDS}
"""All faults, by name."""
