"""Takes up, at the start of an application, what the journal says that a former process had in hand. Layer: hall.

Source: SEMANTICS J3 to J8, K8, X7.

It comes before the connection is opened: each call has its actor again before the server can tell anything of it. What
became of the calls meanwhile is known when the session is resumed: the server sends again what was not acknowledged.
When it has a new session for us, it knows nothing of them, and they end as ``lost``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Any, Final, TypeVar

from relay_actors.actors.call_ref import CallRef, Kept
from relay_actors.actors.commands_again import dial_of
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.give_up import policies_of
from relay_actors.actors.given_up_call import GivenUpCall
from relay_actors.actors.history import History, Told, data_apart, kept_apart
from relay_actors.actors.journaling import SESSION
from relay_actors.actors.leg import Leg
from relay_actors.actors.message import MessageRef
from relay_actors.actors.message_handle import KeptMessage
from relay_actors.actors.office import Office
from relay_actors.actors.outbound_leg import OutboundLegActor
from relay_actors.actors.outgoing import last_word
from relay_actors.actors.packing import NotKept, name_of, unpack_data
from relay_actors.actors.replaying import Replay
from relay_actors.actors.sent_texts import SentText
from relay_actors.actors.texts_again import TextsAgain
from relay_actors.actors.wire import Consult, Route, Wire, settle_refused
from relay_actors.errors import JournalError
from relay_actors.protocol.events import MessageReceiveEvent, RelayEvent
from relay_actors.protocol.frozen import NOTHING
from relay_actors.runtime.future import Future, WaitTimeout

__all__ = ["AT_ONCE", "WAITS_LESS_S", "Recovery"]

_log = logging.getLogger("relay_actors.recovery")

AT_ONCE: Final = 50
"""How many calls are rebuilt side by side (SEMANTICS J8)."""

REQUESTS_EACH: Final = 10
"""How many requests of each call may wait for the connection, beside what may wait in any case."""

WAITS_LESS_S: Final = 0.5
"""How long more calls are waited for, when some have taken ``timing.stop_timeout_s``: they run code that blocks, and
nobody has a connection until all were waited for."""

T = TypeVar("T")


class Recovery:
    """Takes up what a former process had in hand. Used once, by the thread that starts the application.

    Args:
        office: where everything is.
        start_call: starts the actor of a call: its class, what it keeps, and its key.
        start_text: starts the actor of a text: what became of it, and what it keeps.
        texts_on_record: filled with the names of the texts that were sent. Who finds one while the past of a call is
            run again puts there what it keeps.
    """

    def __init__(
        self,
        office: Office,
        start_call: Callable[[type[Any], Kept, tuple[str, str]], CallRef],
        start_text: Callable[[SentText, KeptMessage], MessageRef],
        texts_on_record: dict[str, KeptMessage | None],
    ) -> None:
        self._office = office
        self._start_call = start_call
        self._waits_s = office.timing.stop_timeout_s
        self._offered: list[list[RelayEvent]] = []
        self._caused: list[tuple[str, str, CallRef]] = []
        self._classes: dict[str, type[Any]] = {}
        self._texts = TextsAgain(office, start_text, self._consult, texts_on_record)
        self._known: list[str] = []

    def look(self) -> Collection[str]:
        """Look what the former process had in hand, and return it; what is begun from now on is none of it.

        Raises:
            JournalError: the journal cannot be read.
        """
        self._known = self._consult(_known)
        return self._known

    def run(self) -> int:
        """Take up everything that was found by `look`, and return how many calls there are again.

        Raises:
            JournalError: the journal cannot be read.
        """
        known = self._known
        self._consult(_begin)
        self._texts.note(known)
        subjects = reversed(known)  # whom a call has dialled is younger than it, and has to be there when it looks
        taken_up = 0
        newest = 0.0
        while batch := tuple(islice(subjects, AT_ONCE)):
            histories, damaged = self._consult(partial(_histories, subjects=batch, before=taken_up))
            for fragment in damaged:
                self._hang_up(fragment)
            newest = max([newest, *(history.last_at for history in histories)])
            replays: list[Replay] = []
            for is_owned, some in groupby(histories, lambda history: history.started is not None):
                if is_owned:
                    # In one turn: so they are run side by side, and the journal is committed once for all of them.
                    replays += self._consult(partial(self._take_up_owned, histories=tuple(some)))
                else:
                    for history in some:
                        self._take_up_unowned(history)
            self._wait_for(replays)
            taken_up += len(replays)
        are_texts_followed = self._texts.go_on()
        for cause, tag, ref in self._caused:
            if (turn := self._texts.turn_of(cause)) is not None:
                turn.former[tag] = ref
        if self._offered:
            self._office.tell_connection(Route(tuple(event for events in reversed(self._offered) for event in events)))
        if taken_up or are_texts_followed:
            self._office.system.hooks.count("calls.recovered", taken_up)
            gap_s = max(0.0, self._office.system.clock.wall() - newest)
            _log.info("taken up from the journal calls=%d gap_s=%.3g", taken_up, gap_s)
            self._consult(lambda wire: _note_gap(wire, gap_s))
        return taken_up

    def _consult(self, look: Callable[[Wire], T]) -> T:
        done: Future[T] = Future(self._office.dispatcher)
        consult = Consult(look, done)
        if not self._office.tell_connection(consult):  # somebody has stopped the application, or it has failed
            settle_refused(consult)
        return done.get()

    def _wait_for(self, replays: Sequence[Replay]) -> None:
        clock, late = self._office.clock, 0
        due = clock.now() + self._waits_s  # for all of them together (SEMANTICS A10)
        # The last one first: it is over last, as a rule, and then nobody has to be waited for any more.
        for replay in reversed(replays):
            try:
                replay.done.get(timeout=max(0.0, due - clock.now()))
            except WaitTimeout:
                late += 1
        if late:
            self._waits_s = min(self._waits_s, WAITS_LESS_S)
            _log.error("still being rebuilt, what they are told meanwhile may come too early calls=%d", late)

    def _take_up_owned(self, wire: Wire, histories: Sequence[History]) -> list[Replay]:
        for history in histories:
            for leg in history.legs if history.dial is not None else ():
                wire.note_leg(str(leg["call_id"]), history.subject)
        return [replay for history in histories if (replay := self._take_up(history)) is not None]

    def _take_up(self, history: History) -> Replay | None:
        try:
            return self._rebuild(history)
        except NotKept as error:
            _log.error("a call cannot be rebuilt, hanging up subject=%s: %s", history.subject, error)
        except Exception:  # noqa: BLE001  # it is told of
            # What the class says of itself is the user's: one that cannot be made must not keep all others from theirs.
            _log.exception("a call cannot be taken up, hanging up subject=%s", history.subject)
        self._hang_up(history)
        return None

    def _rebuild(self, history: History) -> Replay | None:
        started = history.started
        assert started is not None
        actors = history.actors
        actor_class = self._class_called(actors[-1], history.subject)
        data, problems = unpack_data(started.data)
        leg = Leg(direction="outbound" if history.dial is not None else "inbound", data=data)
        leg.is_orphaned = history.is_orphaned
        if history.dial is not None:
            command = dial_of(history.dial)
            leg.tag = command.tag
            leg.dialling = Dialling(command, float(str(started.settings.get("timeout_s", 0.0))))
            leg.dialling.is_known = True
            key = ("tag", leg.tag)
        else:
            offer = history.offer
            if offer is None:
                raise NotKept("the journal does not know how it came in")
            leg.received(offer)
            key = ("call", leg.call_id)
        course = leg.course
        course.is_kept = True
        course.seed = str(started.settings.get("seed", ""))
        course.saved = dict(started.data)
        course.others = None if history.summed_up else NOTHING
        if getattr(actor_class, "restart_flow", "") == "where_it_was" and history.checkpoint < 0:
            course.record, course.began_with = [kept_apart(item) for item in history.items], data_apart(leg.data)
        is_flow = actor_class.run is not None if hasattr(actor_class, "run") else False
        replay: Future[None] = Future(self._office.dispatcher)
        course.replay = made = Replay(history, is_strict=is_flow, done=replay)
        if is_flow and actor_class.dispatcher == "loop":
            made.change("flows on the asyncio loop are not run again where they were")
        elif is_flow and problems:
            made.change(problems[0])
        for problem in problems:
            _log.error("subject=%s %s", history.subject, problem)
        if actor_class is GivenUpCall and actors[-1] != name_of(GivenUpCall):
            made.leave_out_the_code()
        kept = Kept(leg, self._office)
        before = [name for name in actors if name != name_of(GivenUpCall)]
        kept.was_handed = len(set(before)) > 1
        if actor_class is GivenUpCall and actors[-1] == name_of(GivenUpCall):
            kept.on_give_up = policies_of(_class_called(before[-1]) if before else None)
        leg.cause = str(started.settings.get("cause", ""))
        ref = self._start_call(actor_class, kept, key)
        if leg.cause:  # maybe a text, whose handler is run again and finds whom it has dialled
            self._caused.append((leg.cause, leg.tag, ref))
        return made

    def _class_called(self, name: str, subject: str) -> type[Any]:
        """Return the class of a call's actor by its name; who gives up, if there is none of that name any more."""
        found = self._classes.get(name) or _class_called(name)
        if found is None:
            _log.error("no class is called %s any more, giving the call up subject=%s", name, subject)
            return GivenUpCall
        self._classes[name] = found
        return found

    def _take_up_unowned(self, history: History) -> None:
        """Nobody had it yet: it is routed as if it had come just now; or it is a last word, and said once more."""
        events = [item.event for item in history.items if isinstance(item, Told)]
        if history.offer is not None:
            self._offered.append([history.offer, *(event for event in events if event is not history.offer)])
        elif self._texts.take(history):
            self._offered.append(events if any(isinstance(event, MessageReceiveEvent) for event in events) else [])
        elif history.last_words:
            self._hang_up(history)
        else:
            self._forget(history.subject)

    def _hang_up(self, history: History) -> None:
        """Leave nobody up of whom nobody knows what to do with them."""
        self._office.system.hooks.count("calls.abandoned")
        for ids in history.legs:
            self._office.send(last_word(ids, "error"))

    def _forget(self, subject: str) -> None:
        self._consult(lambda wire: wire.journal.forget(subject))


def _known(wire: Wire) -> list[str]:
    return [subject for subject in wire.journal.subjects() if subject != SESSION]


def _begin(wire: Wire) -> None:
    """Resume the session of the former process."""
    session = wire.journal.kept_session()
    if session.protocol:
        wire.protocol.resume_session(session.protocol, session.authorization_state)
    wire.journal.forget(SESSION)


def _histories(wire: Wire, subjects: Collection[str], before: int) -> tuple[list[History], list[History]]:
    """Return the histories of the next subjects, and what can be read of those that are damaged.

    It is expected how much their calls will ask for before there is a connection.

    Args:
        wire: of the connection, in whose turn this is.
        subjects: whose histories.
        before: how many calls were taken up before.
    """
    histories, damaged = [], []
    wire.protocol.expect_more((before + len(subjects)) * REQUESTS_EACH)
    for subject in subjects:
        try:
            history = wire.journal.history(subject)
        except JournalError as error:
            _log.error("the journal of one call is damaged, hanging up subject=%s: %s", subject, error)
            damaged.append(wire.journal.fragment(subject))
            continue
        wire.protocol.remember_events(history.frame_ids)
        histories.append(history)
    return histories, damaged


def _note_gap(wire: Wire, gap_s: float) -> None:
    wire.lost_at = wire.office.system.clock.now() - gap_s


def _class_called(name: str) -> type[Any] | None:
    known = list(_subclasses(OutboundLegActor))
    found = [cls for cls in known if name_of(cls) == name]
    # A module that is run is called __main__, and by its own name when another one imports it.
    found = found or [cls for cls in known if cls.__qualname__ == name.partition(":")[2]]
    return found[-1] if found else None


def _subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)
