"""The connection actor: owns the socket, drives the protocol, journals, and routes. Layer: hall.

Source: DESIGN section 3; SEMANTICS K1-K9, J1, J2, J6. It runs late in each round, so that it writes at once whatever
the round has produced, and commits the journal once. Nothing in it waits: sockets are opened on the blocking pool.

Whatever it has been told and has not dealt with stands in the `Wire`, which outlives it: when it crashes, its next
incarnation opens a new socket, resumes the session, and goes on behind the thing that was its undoing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, ClassVar, assert_never

from relay_actors.actors import leaving_mail
from relay_actors.actors.course import Note, Started
from relay_actors.actors.frame_log import FrameLog
from relay_actors.actors.holding import HoldBack, Release, TakeBack
from relay_actors.actors.holds_back import HoldsBack
from relay_actors.actors.leaving import Leave
from relay_actors.actors.outgoing import LastWord, Outgoing
from relay_actors.actors.router import Router
from relay_actors.actors.routing import Claim, DialOver, TextInDoubt
from relay_actors.actors.socket_news import Due, Opening, Readable, tell
from relay_actors.actors.text_turns import TextHandled, cause_of
from relay_actors.actors.wire import (
    ChangeContexts,
    Connect,
    Consult,
    Disconnect,
    Drain,
    Route,
    Safe,
    Step,
    Wire,
    settle_refused,
)
from relay_actors.errors import (
    CommandRejectedError,
    ConnectionLostError,
    JournalError,
    NotSentError,
    ProtocolError,
    RelayActorsError,
    RequestTimeoutError,
    TransportError,
)
from relay_actors.protocol import happenings as h
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.events import CallReceiveEvent, RelayEvent, parse_event
from relay_actors.protocol.scrub import scrub
from relay_actors.runtime.base import TimerHandle
from relay_actors.transport.base import Transport

__all__ = ["ConnectionActor"]

_log = logging.getLogger("relay_actors.connection")


class ConnectionActor(HoldsBack):
    """Owns the one socket of an application.

    Args:
        wire: what is kept while this actor is restarted.
    """

    runs_late: ClassVar[bool] = True
    throughput: ClassVar[int] = 4096
    on_refused: ClassVar[Callable[[Any], object] | None] = staticmethod(settle_refused)

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire
        self._protocol = wire.protocol
        self._clock = wire.office.clock
        self._frames = FrameLog()
        self._router = Router(wire, self._send)
        self._transport: Transport | None = None
        self._is_doing = False
        self._was_told = False  # that the socket is ready: it tells no more until it is armed again
        self._deadline: tuple[float, TimerHandle] | None = None

    # -- life --------------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """After a crash of this actor: finish what was begun, and go on with a new socket."""
        wire, now = self._wire, self._clock.now()
        if wire.broken is not None:
            self._give_up(wire.broken)
        elif wire.is_started:
            self._go_on()
            why = "the connection actor was restarted"
            self._do(self._protocol.closed(now, why) or self._protocol.open_failed(now, why))

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave no socket behind. A journal that has failed stays so: nothing more may be promised (J6)."""
        self._let_go(normal=False)
        if isinstance(exception_value, JournalError):
            self._wire.broken = exception_value

    def on_stop(self) -> None:
        """Leave no socket behind, and nobody waiting; after a failure those are told by the root, and with what."""
        if self.exit_reason.is_abnormal:
            return
        self._let_go(normal=True)
        self._wire.release(ConnectionLostError("Connection shut down", is_final=True))
        self._wire.ended.try_set(None)

    def _let_go(self, *, normal: bool) -> None:
        self._drop_transport(normal=normal)
        self._wire.connector.cancel()
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline[1].cancel()

    def _give_up(self, error: RelayActorsError) -> None:
        """End it, without a restart that could only fail again: nothing is tried, and nobody waits, from now on."""
        wire = self._wire
        if wire.ended.is_settled:
            return
        _log.critical("giving up the connection: %s", error)
        if wire.leaving is not None:
            wire.leaving.settle(is_clean=False)
        wire.journal.give_up()
        wire.told.clear()
        wire.kept = 0
        wire.todo.clear()
        self._do(self._protocol.shut_down(self._clock.now()))
        wire.release(error)
        self._router.tell_lost()
        wire.ended.try_set(error)

    # -- messages ----------------------------------------------------------------------------------------------------

    def on_over(self, cell: Any) -> None:
        """A call's or a text's actor has ended."""
        self._router.forget(cell)

    def receive(self, message: object) -> Any:
        """Take requests to send, and what others want of the connection."""
        leaving = self._wire.leaving
        if leaving is not None and leaving_mail.take(leaving, message):
            return None
        if isinstance(message, Outgoing):  # first, because it is nearly always one
            self._send(message)
            return None
        match message:
            case HoldBack(subject=subject):
                self._wire.holding.hold(subject)
            case Release() | TakeBack():
                self._take_out(message)
            case Note(subject=subject):
                if self._wire.live.owns(subject):  # otherwise it is over, and its end has overtaken this
                    self._wire.journal.noted(message)
            case Started(subject=subject):
                if self._wire.live.owns(subject):
                    self._wire.journal.started(message)
            case Claim():
                self._router.claim(message)
            case DialOver():
                self._router.dial_over(message)
            case TextHandled(message_id=message_id):
                self._router.text_handled(message_id)
            case TextInDoubt(ref=ref):
                self._router.text_in_doubt(ref)
            case CallReceiveEvent():  # of a call that its actor had passed on, and that has come back
                self._router.route(message)
            case Consult():
                message.answer(self._wire)
            case Route(events=events):
                for event in events:
                    self._router.route(event)
            case Connect():
                self._connect()
            case ChangeContexts():
                self._change_contexts(message)
            case Drain(done=done):
                self._wire.drains = True
                if self._protocol.contexts:
                    self._change_contexts(ChangeContexts(self._protocol.contexts, False, _log_refusal))
                done.try_set(True)
            case Disconnect(done=done):
                self._write()
                self._do(self._protocol.shut_down(self._clock.now()))
                self._fail_all_held()
                done.try_set(True)
            case Leave(done=done):
                leaving_mail.begin(self._wire, done, self._clock.now())
            case _:
                return super().receive(message)
        return None

    def after_batch(self) -> None:
        """Commit what the round has written, and only then let it out: the output gate (SEMANTICS J2)."""
        self._write()
        if self._wire.leaving is not None:
            self._leave_if_due()
        transport = self._transport
        if transport is not None and (self._was_told or transport.wants_write()):
            self._was_told = False
            self.system.dispatcher.rearm(transport)
        self._arm()

    def _write(self) -> None:
        journal, protocol = self._wire.journal, self._protocol
        if journal.is_kept:
            journal.session(protocol.relay_protocol, protocol.authorization_state)
            journal.commit()
        transport = self._transport
        if transport is None:
            return
        texts = protocol.texts_to_send()
        try:
            if texts:
                transport.send(texts)
        except TransportError as why:
            self._lost_in_writing(transport, why)
            journal.commit()

    def _arm(self) -> None:
        wire, leaving = self._wire, self._wire.leaving
        due = self._protocol.next_deadline()
        if wire.parking.parked or wire.holding.held or leaving is not None:  # seldom, and asked after each batch
            others = (
                due,
                wire.parking.next_deadline(),
                wire.holding.next_deadline(),
                None if leaving is None or leaving.has_left else leaving.due,
            )
            due = min((other for other in others if other is not None), default=None)
        armed = self._deadline
        if due is None or (armed is not None and armed[0] <= due):
            return  # an early wake-up finds nothing due and arms the next one
        if armed is not None:
            armed[1].cancel()
        cell = self._cell

        def come() -> None:
            tell(cell, Due(cell))

        self._deadline = (due, self.system.dispatcher.call_at(due, come))

    def on_due(self) -> None:
        """Some deadline may have come."""
        self._deadline = None
        if self._transport is not None:  # it may be this process that was held up: then what is late has come (K9)
            self.on_readable(self._transport)
        now = self._clock.now()
        self._do(self._protocol.tick(now))
        self._router.expire(now)
        self._fail_overdue(now)

    # -- sending -----------------------------------------------------------------------------------------------------

    def _send(self, outgoing: Outgoing) -> None:
        wire = self._wire
        broken, holding = wire.broken, wire.holding
        if broken is not None:
            outgoing.on_answer(None, NotSentError(f"{outgoing.method} was not sent: {broken}"))
            return
        if holding.in_doubt and holding.concerns(outgoing):
            self._hold_back(outgoing)
            return
        try:
            request_id = self._protocol.request(outgoing.method, outgoing.params, self._clock.now())
        except (NotSentError, ValueError) as error:
            self._refuse(outgoing, _not_sent(outgoing.method, error))
            return
        if wire.journal.is_kept:
            self._note_intent(request_id, outgoing)
        else:
            wire.pending[request_id] = outgoing
        if self._frames.is_on:
            self._frames.requested(outgoing.method, request_id)

    def _note_intent(self, request_id: str, outgoing: Outgoing) -> None:
        wire = self._wire
        if wire.journal.is_kept:
            try:
                wire.journal.intended(request_id, outgoing)
            except BaseException as error:
                self._protocol.forget(request_id)  # what the journal does not know of must not leave (SEMANTICS J2)
                outgoing.on_answer(None, NotSentError(f"{outgoing.method} was not sent: {error}"))
                raise
        wire.pending[request_id] = outgoing

    def _change_contexts(self, change: ChangeContexts) -> None:
        now = self._clock.now()
        method = "signalwire.receive" if change.adds else "signalwire.unreceive"
        ask = self._protocol.subscribe if change.adds else self._protocol.unsubscribe
        try:
            request_id = ask(change.contexts, now)
        except (NotSentError, ValueError) as error:
            change.on_answer(None, _not_sent(method, error))
            return
        if request_id is None:
            change.on_answer({}, None)
        else:
            self._wire.pending[request_id] = Outgoing(method, {}, change.on_answer)
            self._frames.requested(method, request_id)

    def _settle(self, request_id: str, result: JsonObject | None, error: RelayActorsError | None) -> None:
        outgoing = self._wire.pending.pop(request_id, None)
        if outgoing is None:
            return
        wire, subject = self._wire, outgoing.subject
        leaving = wire.leaving
        if leaving is None:
            if error is not None and isinstance(outgoing, LastWord) and outgoing.is_due_again(error):
                self._say_again(outgoing)
                return
            outgoing.on_answer(result, error)
        else:
            leaving.hold(outgoing)
            if not leaving_mail.is_known(error):
                return
        if subject and subject not in wire.live.owners:
            wire.forget(subject, cause_of(subject))  # the last word on it
        elif error is None:
            return
        elif isinstance(error, ConnectionLostError) and not error.is_final and outgoing.on_late is not None:
            wire.holding.hold(subject)
        elif isinstance(error, RequestTimeoutError):
            wire.await_late(request_id, outgoing)

    def _settle_late(self, request_id: str, result: JsonObject | None, error: RelayActorsError | None) -> None:
        outgoing = self._wire.late.pop(request_id, None)
        if outgoing is not None and outgoing.on_late is not None and self._wire.leaving is None:
            outgoing.on_late(result, error)

    def _leave_if_due(self) -> None:
        """Leave all calls to the next process, once all is committed, and what was to leave has left (C4)."""
        wire = self._wire
        if wire.leaving is None:
            return
        now = self._clock.now()
        if leaving_mail.is_due(wire, now):
            leaving = leaving_mail.let_go_of_journal(wire)
            self._do(self._protocol.shut_down(now))
            leaving.settle(is_clean=True)

    # -- the socket --------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        if self._wire.broken is not None:
            _log.error("nothing is connected: %s", self._wire.broken)
            return
        self._wire.is_started = True
        self._do(self._protocol.start(self._clock.now()))

    def _open(self) -> None:
        self._wire.attempts += 1
        self.system.dispatcher.run_blocking(Opening(self._cell, self._wire, self._wire.attempts), "connect")

    def on_opened(self, attempt: int) -> None:
        """A socket is open."""
        if not self._wire.opened:
            return  # dropped meanwhile
        transport = self._wire.opened.popleft()
        if attempt != self._wire.attempts:
            transport.abort()
            return
        try:
            happenings = self._protocol.opened(self._clock.now())
        except ProtocolError:  # given up meanwhile
            transport.abort()
            return
        self._transport = transport
        cell = self._cell

        def readable() -> None:
            tell(cell, Readable(cell, transport))

        if transport.fileno() >= 0:
            self.system.dispatcher.watch(transport, readable)
        transport.set_waker(readable)
        self._do(happenings)

    def on_open_failed(self, attempt: int, why: str) -> None:
        """A socket could not be opened."""
        if attempt == self._wire.attempts:
            self._do(self._protocol.open_failed(self._clock.now(), why))

    def on_readable(self, transport: Transport) -> None:
        """There may be something to read, or to write."""
        if transport is not self._transport:
            return
        try:
            if transport.wants_write():
                transport.flush()
        except TransportError as why:
            self._lost_in_writing(transport, why)
            return
        try:
            texts = transport.receive()
        except TransportError as why:
            self._lost(str(why))
            return
        self._was_told = True
        self._take(texts)
        if texts and self._transport is transport and transport.fileno() < 0:
            tell(self._cell, Readable(self._cell, transport))  # nobody polls it: look until there is nothing

    def _take(self, texts: Iterable[bytes]) -> None:
        now, protocol = self._clock.now(), self._protocol
        if not self._frames.look():
            self._do(protocol.receive(texts, now))
            return
        happenings: list[h.Happening] = []
        for text in texts:  # one by one: what has to be scrubbed may come with the one before
            self._frames.received(text, protocol.secrets)
            happenings += protocol.receive((text,), now)
        self._do(happenings)

    def _lost_in_writing(self, transport: Transport, why: TransportError) -> None:
        """Writing has failed; what the server said before that still counts."""
        try:
            self._take(transport.receive())
        except TransportError as nothing:
            _log.debug("nothing more was received: %s", scrub(str(nothing), self._protocol.secrets))
        self._lost(str(why))

    def _lost(self, why: str) -> None:
        self._drop_transport(normal=False)
        self._do(self._protocol.closed(self._clock.now(), why))

    def _drop_transport(self, *, normal: bool) -> None:
        transport, self._transport = self._transport, None
        if transport is None:
            return
        self.system.dispatcher.unwatch(transport)
        transport.set_waker(None)
        if normal:
            transport.close()
        else:
            transport.abort()

    # -- what the protocol tells -------------------------------------------------------------------------------------

    def _do(self, happenings: Iterable[h.Happening]) -> None:
        """Do what the protocol says, in order; what this brings about comes behind it."""
        self._wire.told.extend(happenings)
        self._go_on()

    def _go_on(self) -> None:
        wire = self._wire
        if self._is_doing:
            return
        self._is_doing = True
        told, todo, route = wire.told, wire.todo, self._router.route
        try:
            while told or todo:
                self._make_safe()
                while todo:
                    one = todo.popleft()
                    if isinstance(one, RelayEvent) and wire.leaving is None:  # first, because it is nearly always one
                        route(one)
                    else:
                        self._do_one(one)
        finally:
            self._is_doing = False

    def _make_safe(self) -> None:
        """Make durable what the server has told: only then is it acknowledged, and only then delivered (J1).

        Events and answers are written in the order in which their calls will be told them: recovery relies on it.
        """
        wire, journal = self._wire, self._wire.journal
        is_kept, known = journal.is_kept, wire.kept
        steps: list[Step] = []
        frame_ids: list[object] = []
        try:
            for one in wire.told:
                is_new = is_kept and len(steps) >= known
                if isinstance(one, h.EventArrived):
                    event = parse_event(one.payload, was_read=True)
                    if is_new:
                        journal.event(self._router.subject_of(event), one)
                    steps.append(event)
                    frame_ids.append(one.frame_id)
                else:
                    if is_new:
                        self._keep_outcome(one)
                    steps.append(one)
            if frame_ids and is_kept:
                journal.commit()
        except BaseException:
            wire.kept = max(known, len(steps))  # the next incarnation goes through all of them, and keeps none again
            raise
        if frame_ids:
            wire.todo.append(Safe(frame_ids))
        wire.told.clear()
        wire.kept = 0
        wire.todo.extend(steps)

    def _keep_outcome(self, one: h.Happening) -> None:
        result: JsonObject | None = None
        error: RelayActorsError | None = None
        match one:
            case h.RequestSucceeded(request_id=request_id):
                result = one.result
            case h.RequestFailed(request_id=request_id):
                error = one.error
            case h.AnsweredLate(request_id=request_id):
                result, error = one.result, one.error
            case _:
                return
        outgoing = self._wire.pending.get(request_id) or self._wire.late.get(request_id)
        if self._wire.leaving is not None and not leaving_mail.is_known(error):
            return  # for all that the journal knows it is under way: the next process finds out
        if outgoing is not None:
            self._wire.journal.settled(request_id, outgoing, result, error)

    def _do_one(self, one: Step) -> None:
        match one:
            case h.RequestSucceeded(request_id=request_id, result=result):
                self._settle(request_id, result, None)
            case RelayEvent():
                leaving = self._wire.leaving
                assert leaving is not None
                leaving.not_delivered += 1  # it is safe: the next process delivers it
            case Safe(frame_ids=frame_ids):
                self._protocol.acknowledge(*frame_ids)
                self._write()  # at once: before anybody can do something about it (PROTOCOL 7.2)
            case h.RequestFailed(request_id=request_id, error=error):
                self._settle(request_id, None, error)
            case h.AnsweredLate(request_id=request_id, result=result, error=error):
                self._settle_late(request_id, result, error)
            case h.RequestCancelled(request_id=request_id):
                self._settle(request_id, None, ConnectionLostError("Connection shut down", is_final=True))
            case h.OpenSocket():
                self._open()
            case h.CloseSocket(why=why, normal=normal):
                _log.info("closing the socket: %s", why)
                self._wire.connector.cancel()
                self._drop_transport(normal=normal)
            case h.LoggedIn():
                self._on_logged_in(one)
            case h.LogInRefused(error=error, final=final):
                self._on_refused(error, is_final=final)
            case h.ConnectionDown():
                self._on_down(one)
            case h.Ignored(why=why):
                self._frames.ignored(why)
            case never:
                assert_never(never)

    def _on_logged_in(self, happening: h.LoggedIn) -> None:
        wire, now = self._wire, self._clock.now()
        wire.office.relay_protocol, wire.office.is_cut_off = happening.relay_protocol, False
        _log.info("logged in resumed=%s contexts=%s", happening.resumed, ",".join(self._protocol.contexts))
        if wire.lost_at is not None:
            gap_s = now - wire.lost_at
            wire.lost_at = None
            self.system.hooks.count("connection.restored")
            if not happening.resumed:
                self._router.note_session_gone()
            self._router.tell_restored(resumed=happening.resumed, gap_s=gap_s)
        self._say_last_words()
        wire.ready.try_set(None)

    def _on_refused(self, error: RelayActorsError, *, is_final: bool) -> None:
        _log.error("log in refused: %s%s", error, "; giving up" if is_final else "")
        self.system.hooks.count("connection.refused")
        self._wire.ready.try_fail(error)
        if is_final:
            self._wire.ended.try_set(error)

    def _on_down(self, happening: h.ConnectionDown) -> None:
        wire, now = self._wire, self._clock.now()
        in_s = "never" if happening.retry_at is None else f"{max(0.0, happening.retry_at - now):.3g}"
        _log.warning("connection down: %s; retry_in_s=%s", happening.why, in_s)
        wire.office.is_cut_off = True
        wire.last_problem = happening.why
        wire.late.clear()
        self._hold_back_queued()
        wire.office.relay_protocol = self._protocol.relay_protocol  # none any more, if the server has ended the session
        self._drop_transport(normal=False)
        if happening.was_logged_in:
            wire.lost_at = now
            self.system.hooks.count("connection.lost")
            self._router.tell_lost()


def _not_sent(method: str, error: Exception) -> NotSentError:
    return error if isinstance(error, NotSentError) else NotSentError(f"{method} was not sent: {error}")


def _log_refusal(_result: JsonObject | None, error: RelayActorsError | None) -> None:
    if isinstance(error, CommandRejectedError):
        _log.warning("contexts could not be given back: %s", error)
    elif error is not None:  # an application that stops does not wait for the answer
        _log.debug("contexts are given back by going: %s", error)
