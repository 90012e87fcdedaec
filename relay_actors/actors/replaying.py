"""Rebuilds one call from its history: the same code, told the same things in the same order. Layer: hall.

Source: SEMANTICS J3 to J5, X8.

The call's actor is a new one, which nobody knows yet. It is told, one after the other, what the journal says that the
wire has told it, and what it has learnt beside; so its engine comes to the state in which it was. What it asks for
meanwhile is not sent, but compared with what it asked for then, and gets the outcomes that are on record. Where the
record ends, it is live: what was given and never answered is in doubt, what was never given is given now.

A flow runs again from its beginning. A handler's past is its ``data`` and its timers, which were noted after each turn:
up to the last such note the code of the class is not run, and from there on it is.

All that follows from an item is done before the next one is told: in a turn of its own, or in the same one where
nothing else waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from relay_actors.actors.arranged import arrange_again
from relay_actors.actors.asked_then import Past
from relay_actors.actors.history import (
    BESIDE,
    Answered,
    Asked,
    History,
    Item,
    Learnt,
    Told,
    is_of_the_code,
    is_output,
    said,
)
from relay_actors.actors.in_turn import InTurn
from relay_actors.actors.kept_messages import unpack_message
from relay_actors.actors.kept_pipes import pipe_is_done
from relay_actors.actors.leg import Leg
from relay_actors.actors.likeness import different
from relay_actors.actors.notices import ConnectionLost, ConnectionRestored
from relay_actors.actors.orders_again import take_back
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.packing import NotKept, hashable, unpack, unpack_data
from relay_actors.actors.routing import Claim
from relay_actors.actors.taking_over import Former, take_over
from relay_actors.actors.waits import follow
from relay_actors.actors.watched import outcome_of, settle_as_then
from relay_actors.actors.withheld import Withheld, WithheldBeginning, WithheldOrder
from relay_actors.errors import FlowChanged, NotSentError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.frozen import NOTHING
from relay_actors.runtime.future import Future

__all__ = ["Replay"]

_log = logging.getLogger("relay_actors.recovery")

_INERT: Final = frozenset({"data", "looked", "orphaned", "over", "saved", "sent"})
"""Notes that are looked up, and not told."""

_AT_A_TIME: Final = 16
"""Items that are told before somebody else may have a turn: as many as an actor takes messages in one."""

Sending: TypeAlias = Withheld | WithheldBeginning | WithheldOrder
"""What the code of a call does to others."""


class Replay:
    """The rebuilding of one call. In the turns of its actor only.

    Args:
        history: what is known of it.
        is_strict: whether the code of its class has to ask for just what it asked for then: it is a flow. A handler's
            turn that is handled again may differ.
        done: settled when the call is live.
        former: what is left of the incarnation before, after a crash of the flow alone; None: the process has ended.

    Attributes:
        done: settled when the call is live, or has ended.
        now: when what is being told has happened, in wall-clock seconds.
        changed: why the code cannot be brought to where it was, once that is certain.
    """

    def __init__(self, history: History, *, is_strict: bool, done: Future[None], former: Former | None = None) -> None:
        self._past = Past(history.items)
        self._last_words = history.last_words
        self._summed_up = history.summed_up
        self._counts = history.told, history.commands
        self._begins = history.checkpoint + 1
        self._is_strict = is_strict
        self._former = former
        self.done = done
        self._applied: Asked | None = None
        self._is_engine_only = False
        self._next: InTurn | None = None
        self._for_connection: list[object] = []
        self._fresh: list[Callable[[], object]] = []
        self._not_given: list[Any] = []
        self._foreign: dict[int, Future[Any]] = {}
        self._withheld: list[tuple[int, Sending]] = []
        self._looks = self._past.noted("looked", since=self._begins)
        self._sent = {values["number"] for values in self._past.noted("sent", since=self._begins)}
        self._has_begun = False
        self._has_crashed = False
        self._data_since = 0
        self._flow_is_due = False
        self.now = history.started.at if history.started is not None else history.last_at
        self.changed: FlowChanged | None = None

    @property
    def is_silent(self) -> bool:
        """Whether the code of the class is told nothing: that was before, or it cannot be brought to where it was."""
        return self._is_engine_only or self._past.at < self._begins

    @property
    def comes_to_on_start(self) -> bool:
        """Whether `on_start` is run when the past has come to where that was, and not at once."""
        at = self._past.items[self._begins - 1] if self._begins else None
        return self._has_begun or (isinstance(at, Learnt) and at.what == "restarted")

    # -- what its actor does with it -----------------------------------------------------------------------------------

    def begin(self, actor: Any) -> None:
        """An incarnation has started: the first one, or one after a crash of the code that is run again."""
        if self._has_begun:
            _log.error("crashed while its past was run again call_id=%s", actor.leg.name)
            self._is_engine_only = self._has_crashed = True
            self._data_since = self._past.at  # what it had before is kept over the crash, as over any
            return
        self._has_begun = True
        actor.leg.course.over = {values["name"]: values["seen"] for values in self._past.noted("over")}
        if self._begins == 0 and not self._is_engine_only:
            actor.begin_work()
        else:
            actor.begin_dial()
        self._post(actor)

    def run_now(self, actor: Any) -> None:
        """Do all of it in this turn, because the call goes on meanwhile."""
        while actor.leg.course.replay is self:
            self.step(actor)
            actor._cell.run_next()  # noqa: SLF001  # the framework's own: the actor is one of a call

    def next_id(self) -> str | None:
        """Return the ``control_id`` that what is asked for next had then; None if it had none."""
        if self._applied is not None:
            asked: Item | None = self._applied
        else:
            at = self._past.next_asked()
            asked = None if at is None else self._past.items[at]
        control_id = asked.params.get("control_id") if isinstance(asked, Asked) else None
        return control_id if isinstance(control_id, str) else None

    def ask(self, actor: Any, asking: Any, method: str, params: JsonObject) -> None:
        """Take what the call asks for: bind it to what it asked for then, or keep it until the call is live."""
        if self._applied is not None:
            self._bind(actor, self._applied, asking)
            return
        at = self._past.next_asked(method if not self._is_strict or self.is_silent else None)
        if at is not None:
            asked = self._past.items[at]
            assert isinstance(asked, Asked)
            if asked.method == method and (
                not self._is_strict or self.is_silent or not different(asked.params, params)
            ):
                self._past.taken.add(at)
                self._bind(actor, asked, asking)
                return
        if self.is_silent:  # it was never sent, or it is over and forgotten; a hang-up will be tried again
            take_back(actor.leg, asking, NotSentError(f"{method} was not sent before the process ended"))
            return
        if self._is_strict and (at is not None or self._past.has_more()):
            then = None if at is None else self._past.items[at]
            why = f"it asks for {method}, where it asked for {said(then)} then"
            if isinstance(then, Asked) and then.method == method:
                why = f"it asks for {method} with other params than then: {', '.join(different(then.params, params))}"
            self.change(why)
            self._not_given.append(asking)
            return
        told = actor.leg.course.told
        self._fresh.append(lambda: self._give(actor, asking, method, params, told))

    def now_then(self, actor: Any) -> float:
        """Return what time it was when the code asked for it then."""
        at = self._past.next_output()
        item = None if at is None else self._past.items[at]
        if isinstance(item, Learnt) and at is not None:
            self._past.taken.add(at)
            return float(item.values["value"])
        if self._is_strict and not self.is_silent and (item is not None or self._past.has_more()):
            self.change("it asks for the time, where it did not then")
        value = float(actor.system.clock.wall())
        self._note_afresh(actor, "now", {"value": value})
        return value

    def flow_is_due(self) -> None:
        """The flow is to begin; that it has begun is an item of its own."""
        self._flow_is_due = True

    def awaits(self, number: int, future: Future[Any]) -> None:
        """The code waits for something of another's; it gets what came of it then, when its time comes."""
        self._foreign[number] = future

    def has_awaited(self, actor: Any, number: int, future: Future[Any]) -> None:
        """The code goes on after it has waited for something of another's."""
        self._foreign.pop(number, None)
        self._past.awaited.add(number)
        is_known = any(values["number"] == number for values in self._past.noted("awaited"))
        if future.is_settled and not is_known:
            self._note_afresh(actor, "awaited", {"number": number, **outcome_of(future)})

    def seen(self, name: str, number: int) -> Mapping[str, Any] | None:
        """Return what the code has seen of another call then, when it looked for so many times; None if it has not."""
        looks = (one["seen"] for one in reversed(self._looks) if one["name"] == name and one["number"] <= number)
        return next(looks, None)

    def note_when_live(self, actor: Any, what: str, values: Mapping[str, Any]) -> None:
        """Have the journal know what was learnt meanwhile, which nothing of the past depends on."""
        self._fresh.append(lambda: actor.keep_note(what, values))

    def _note_afresh(self, actor: Any, what: str, values: Mapping[str, Any]) -> None:
        """Have the journal know, when the call is live, what is not on record, and where in the past it belongs."""
        told = actor.leg.course.told
        self._fresh.append(lambda: actor.keep_note(what, values, told))

    def arranges(self, actor: Any, values: Mapping[str, Any]) -> None:
        """The code says what is to be done when an operation is over."""
        if values not in self._past.noted("arranged"):
            self._note_afresh(actor, "arranged", values)

    def comes_back(self, actor: Any) -> bool:
        """Return whether the code is given what it had put aside; the record does not tell it, too, if it did then."""
        if self.is_silent:
            return False
        self._pass_what_was_asked(actor)
        item = self._past.items[self._past.at] if self._past.at < len(self._past.items) else None
        if isinstance(item, Learnt) and item.what == "told" and "again" in item.values:
            self._past.at += 1
            self.now = max(self.now, item.at)
        return True

    def withhold(self, number: int, sent: Sending) -> None:
        """Keep what the code sends to others until the call is live, unless it was sent then."""
        if self.is_silent:  # by `on_start`, which was over before the note that says how far the code had come
            self._sent.add(number)
        self._withheld.append((number, sent))

    def comes_first(self, number: int) -> bool:
        """Return whether the code begins something here that it had not begun then: it had not come so far."""
        is_live = not self.is_silent and self.changed is None and not (self._is_strict and self._past.has_more())
        return is_live and number not in self._sent

    def has_begun(self, actor: Any, number: int) -> None:
        """The code has begun something for the first time."""
        self._sent.add(number)
        self._note_afresh(actor, "sent", {"number": number})

    def tell_connection(self, message: object) -> None:
        """Keep what the connection is to be told until the call is live."""
        self._for_connection.append(message)

    def send_last_word(self, outgoing: Outgoing) -> None:
        """Keep a last word on a leg until the call is live, unless it was said already."""
        if str(outgoing.params.get("call_id", "")) not in self._last_words:
            self._for_connection.append(outgoing)

    def leave_out_the_code(self) -> None:
        """Run no code of the class: who had the call is not there any more, and somebody else begins with it."""
        self._is_engine_only = True

    def change(self, why: str) -> None:
        """The code of the class cannot be brought to where it was."""
        if self.changed is None:
            self.changed = FlowChanged(why)

    # -- one after the other -------------------------------------------------------------------------------------------

    def _post(self, actor: Any) -> None:
        if self._former is None:
            cell = actor._cell  # noqa: SLF001  # the framework's own: the actor is one of a call
            if self._next is None:
                self._next = InTurn(cell, self.step)
            cell.tell_control(self._next)

    def step(self, actor: Any) -> None:
        """Tell the next item; or, when there is none, let the call be live."""
        if actor.leg.course.replay is not self:
            return
        self._post(actor)  # first, so that it goes on whatever comes of this
        for _ in range(_AT_A_TIME):
            if not self._step(actor):
                break  # otherwise the next one need not wait: it would be what comes next

    def _step(self, actor: Any) -> bool:
        """Tell one item; return whether there are more, and all that has followed from this one is done."""
        if self.changed is not None and not self._is_engine_only:
            self._is_engine_only = True
            actor.drop_flow()
            self._take_back(actor.leg, self.changed)
        items = self._past.items
        if self._past.at < len(items) and not isinstance(items[self._past.at], Told):
            self._pass_what_was_asked(actor)
        if self._past.at >= len(items):
            self._finish(actor)
            return False
        place, item = self._past.at, items[self._past.at]
        is_checkpoint = place == self._begins - 1
        self._past.at += 1
        self.now = max(self.now, item.at)
        if self._past.at == self._summed_up:  # from here on all is there, and numbers mean what they say
            actor.leg.course.go_on_from(*self._counts)
        if isinstance(item, Learnt) and item.what in _INERT and not is_checkpoint:
            return True
        self._tell(actor, item, is_checkpoint=is_checkpoint)
        if self._next is None:  # all of it in one turn, and who does that sees to what follows
            return False
        cell = actor._cell  # noqa: SLF001  # the framework's own: the actor is one of a call
        return bool(cell.goes_on_with(self._next) and actor.leg.course.replay is self)

    def _take_back(self, leg: Leg, why: FlowChanged) -> None:
        """What the flow has asked for, and had not asked for then, is not given."""
        for order in self._not_given:
            take_back(leg, order, why)
            if leg.hang_up is not None and getattr(order, "reply", None) is leg.hang_up:
                leg.hang_up, leg.left_because, leg.flow_is_over = None, "", False  # it had ended too early

    def _pass_what_was_asked(self, actor: Any) -> None:
        while self._past.at < len(self._past.items):
            item = self._past.items[self._past.at]
            if not is_output(item):
                return
            if isinstance(item, Asked):
                actor.leg.course.commands = max(actor.leg.course.commands, item.number)
            if self._past.at not in self._past.taken:
                if self._is_strict and not self.is_silent and is_of_the_code(item):
                    self.change(f"it asked for {said(item)} here, and does not any more")
                if isinstance(item, Asked):
                    self._apply(actor, item)
            self._past.at += 1

    def _apply(self, actor: Any, asked: Asked) -> None:
        """Have the engine know of a command that nobody asks for again."""
        self._applied = asked
        try:
            former = None if asked.is_own or self._former is None else self._former
            actor.ask_again(asked, None if former is None else former.asking(asked))
        finally:
            self._applied = None

    def _tell(self, actor: Any, item: Item, *, is_checkpoint: bool) -> None:
        match item:
            case Told(event=event):
                actor.receive(event)
            case Answered(number=number, result=result, error=error):
                actor.on_told_answer(number, result, error)
            case Learnt(what="began"):
                self._flow_is_due = False
                if not self.is_silent:
                    actor.run_flow()
            case Learnt(what="recovered", values=values):
                # Not that of the next one here: what was given then may belong before this.
                given = values.get("commands")
                commands = self._take_up(actor, self._past.next_number() if given is None else int(given) + 1)
                if not self.is_silent:
                    actor.on_recovered(commands)
            case Learnt(what="lost"):
                actor.receive(ConnectionLost())
            case Learnt(what="restored", values=values):
                actor.receive(ConnectionRestored(bool(values["resumed"]), float(values["gap_s"])))
            case Learnt(what="timer", values=values):
                actor.leg.course.fire(actor, values["key"])
            case Learnt(what="result", values=values):
                self._settle_result(actor, values)
            case Learnt(what="awaited", values=values):
                future = self._foreign.get(values["number"])
                if future is not None:
                    self._settle(future, values)
                    future.let_go()
            case Learnt(what="stalled", values=values):
                self._tell_stalled(actor, values)
            case Learnt(what="arranged", values=values):
                if self._former is None and (self.is_silent or not values["is_own"]):
                    arrange_again(actor, values)
            case Learnt(what="told", values=values) if not self.is_silent and "value" in values:
                try:
                    message = unpack_message(values["value"], actor)
                except NotKept as error:
                    self.change(str(error))
                else:
                    if "again" not in values:
                        self._take_own_mail(actor, message)
                    if "piped" in values:
                        pipe_is_done(actor.leg.course, values["piped"])
                    for key in unpack(values.get("timers", {}).get("value", ())):
                        actor.runs_as.timers.has_ticked(hashable(key), min(item.at, actor.office.clock.wall()))
                    actor.tell_message_again(message, was_asked=bool(values.get("asked")))
            case Learnt(what="told", values=values) if not self.is_silent and "lost" in values:
                text = "call_id=%s was told a %s, which the journal cannot hold: it is not told again"
                _log.error(text, actor.leg.name, values["lost"])
            case Learnt(values=values) if is_checkpoint:
                self._reach(actor, item)

    def _take_own_mail(self, actor: Any, message: object) -> None:
        """What the call was told may be what its own code has sent it."""
        for place, (_number, sent) in enumerate(self._withheld):
            if isinstance(sent, Withheld) and sent.receiver is actor.runs_as and sent.message == message:
                del self._withheld[place]
                return

    def _reach(self, actor: Any, item: Learnt) -> None:
        """The code of the class goes on from here."""
        course, leg = actor.leg.course, actor.leg
        self._take_data(actor)
        why = item.values.get("flow_changed")
        leg.flow_changed = None if why is None else FlowChanged(str(why))
        leg.flow_is_over = bool(item.values.get("flow_is_over", False))
        course.counts = {**course.counts, **item.values.get("counts", {})}
        notes = [one for one in self._past.items[: self._past.at] if isinstance(one, Learnt)]
        kept = {name: note.values[name] for note in notes for name in note.newest}
        noted_at = next((note.at for note in reversed(notes) if "timers" in note.newest), 0.0)
        if (back_s := noted_at - actor.office.clock.wall()) > 0.0:  # the clock was put back
            kept["timers"] = [{**timer, "due": timer["due"] - back_s} for timer in kept["timers"]]
        course.saved_timers = None  # noted anew at the next one
        course.saved_beside = {name: kept[name] for name in BESIDE if name in kept}
        try:
            leg.backlog[:] = [unpack_message(message, actor) for message in item.values.get("untold", ())]
            actor.take_kept(kept, is_restart=item.what == "restarted")
        except NotKept as error:
            self.change(str(error))
        restarts = [note.values for note in notes if note.what == "restarted"]
        restarted = restarts[-1] if restarts else {}
        course.beginnings = restarted.get("beginnings", 1 + len(restarts))
        if "past_is_lost" in restarted:
            self.change(restarted["past_is_lost"])
        elif item.what == "restarted" and not self._is_engine_only:
            actor.begin_on_start()
            if item.values.get("is_recovered"):
                actor.on_recovered([])
            actor.begin_work()
            return
        if self._summed_up:  # what has come of it is not on record any more, and it is not done a second time
            course.results = NOTHING

    def _take_data(self, actor: Any) -> None:
        """Give the call the application's data that were noted last."""
        leg = actor.leg
        notes = self._past.items[self._data_since : self._past.at]
        known = [one.values for one in notes if isinstance(one, Learnt) and "data" in one.values]
        if known:
            leg.course.saved = known[-1]["data"]
            data, problems = unpack_data(leg.course.saved)
            for problem in problems:
                _log.error("call_id=%s %s", leg.name, problem)
            leg.data.clear()
            leg.data.update(data)

    def _tell_stalled(self, actor: Any, values: Mapping[str, Any]) -> None:
        for order, known in tuple(actor.leg.under_way.items()):
            if known.number == values["number"]:
                actor.tell_stalled(order, float(values["for_s"]))

    def _settle_result(self, actor: Any, values: Mapping[str, Any]) -> None:
        elsewhere = actor.leg.course.results.pop(values["number"], None)
        if elsewhere is None:
            return
        if elsewhere.drop is not None:
            elsewhere.drop()
        self._settle(elsewhere.wait, values)

    def _settle(self, future: Future[Any], values: Mapping[str, Any]) -> None:
        try:
            settle_as_then(future, values)
        except NotKept as error:
            self.change(str(error))

    # -- live ----------------------------------------------------------------------------------------------------------

    def _finish(self, actor: Any) -> None:
        leg, course, office = actor.leg, actor.leg.course, actor.office
        course.replay = self._next = None  # who knows the actor that knows this: only the collector undoes a circle
        self.done.try_set(None)
        if self._former is not None:
            self._finish_in_place(actor)
            return
        course.entries, course.began_at = len(self._past.items), self._begins
        if leg.direction == "inbound":
            office.tell_connection(Claim(leg.call_id, actor.actor_ref, is_call=True))
        for message in self._for_connection:
            office.tell_connection(message)
        if not leg.under_way:  # who would look now finds nothing: as nearly always, and a timer for each is a burst
            leg.end_stall_watch()
        course.arm_all(actor, self.now)
        actor.timers_go_on()
        for number in list(course.results):
            actor.begin_elsewhere(number)
        actor.on_taken_up()
        commands = self._take_up(actor, None)
        self._send(actor)
        actor.watches_go_on()
        if self.changed is not None or self._is_engine_only:
            self._take_data(actor)
        if self.changed is not None:
            leg.flow_changed = self.changed
        if self.changed is not None and not self._has_crashed:
            raise self.changed
        if self._is_engine_only:  # it has crashed while its past was run again, and begins anew
            if actor.stash_capacity is not None:
                actor.unstash_all()  # as a restart does
            actor.note_restart({"is_recovered": True})
            actor.begin_on_start()
        if self._is_engine_only or self._flow_is_due:
            actor.begin_work()
        actor.on_recovered(commands)
        actor.fail_lost_pipes()
        actor.hand_out()

    def _finish_in_place(self, actor: Any) -> None:
        """The flow is where it was when it crashed, and everything else has gone on."""
        leg, course = actor.leg, actor.leg.course
        if self.changed is not None:
            leg.flow_changed = self.changed
            course.record = None  # the next one begins from the beginning
        take_over(actor)
        course.arm_all(actor, self.now)
        actor.timers_go_on()
        for number in list(course.results):
            actor.begin_elsewhere(number)
        self._send(actor)
        actor.watches_go_on()
        if self.changed is not None:
            raise self.changed
        if self._flow_is_due:
            actor.begin_work()
        actor.hand_out()

    def _send(self, actor: Any) -> None:
        """Give the commands that were never given, and send what was never sent to others."""
        for do in self._fresh:
            do()
        if self.changed is not None or self._is_engine_only:
            return  # it begins anew, and sends again
        cell = actor.runs_as
        outward, cell.outward = cell.outward, None
        try:
            for number, sent in self._withheld:
                is_own = isinstance(sent, Withheld) and sent.receiver is cell
                if isinstance(sent, Withheld):
                    actor.leg.course.has_asked(number, sent)
                answer = None if self._former is None else self._former.answer_to(number, sent)
                if number not in self._sent:
                    sent.send_and_note(actor, number)
                elif answer is not None and isinstance(sent, Withheld):
                    follow(sent.reply, answer)  # it was asked then, and whoever was asked is still there
                elif is_own:
                    sent.send()
                else:
                    sent.was_sent(may_be_lost=self._former is None)
        finally:
            cell.outward = outward

    @staticmethod
    def _give(actor: Any, asking: Any, method: str, params: JsonObject, told: int) -> None:
        """Give a command that was never given; the call may have ended in what is known of it after that."""
        if actor.leg.is_ended:
            take_back(actor.leg, asking, actor.leg.ended_error())
        else:
            actor.give_command(asking, method, params, told)

    def _take_up(self, actor: Any, before: int | None) -> list[Any]:
        """There is a new process, without a connection yet; return the commands of which nobody knows the outcome.

        The commands from number ``before`` on are the new process's own; None: it has given none yet.
        """
        course = actor.leg.course
        actor.leg.is_cut_off = True
        numbers = sorted(number for number in course.asked if before is None or number < before)
        unanswered = [course.asked.pop(number) for number in numbers]
        for asking in unanswered:
            actor.found_unanswered(asking)
        # Not those for whose late answer alone it still waited; but also those whose answer was lost with a socket.
        given = [(asking.command, known.number) for asking, known in actor.leg.under_way.items() if known.number]
        return [command for command, number in given if before is None or number < before]

    # -- what was asked ------------------------------------------------------------------------------------------------

    def _bind(self, actor: Any, asked: Asked, asking: Any) -> None:
        course = actor.leg.course
        course.commands = max(course.commands, asked.number)
        course.asked = {**course.asked, asked.number: asking}
        if (known := actor.leg.under_way.get(asking)) is not None:
            known.number = asked.number
