"""The connection actor: owns the socket, drives the protocol, journals, and routes. Layer: hall.

Source: DESIGN section 3; SEMANTICS K1-K9, J1, J2. It runs late in each round, so that it writes at once whatever the
round has produced, and commits the journal once. Nothing in it waits: sockets are opened on the blocking pool.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.router import Router
from relay_actors.actors.routing import Claim, DialOver
from relay_actors.actors.wire import ChangeContexts, Disconnect, Drain, Wire
from relay_actors.errors import (
    CommandRejectedError,
    ConnectFailedError,
    ConnectionLostError,
    NotSentError,
    ProtocolError,
    RelayActorsError,
    TransportError,
)
from relay_actors.journal.entries import CommandIntended, CommandSettled, EventReceived, Outcome, Session
from relay_actors.protocol import happenings as h
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.events import RelayEvent, parse_event
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.reasons import Down, ExitReason
from relay_actors.runtime.signals import Internal
from relay_actors.transport.base import Transport

__all__ = ["ConnectionActor"]

_log = logging.getLogger("relay_actors.connection")


class ConnectionActor(Actor):
    """Owns the one socket of an application.

    Args:
        wire: what is kept while this actor is restarted.
    """

    runs_late: ClassVar[bool] = True
    throughput: ClassVar[int] = 4096

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire
        self._protocol = wire.protocol
        self._router = Router(wire, self._send)
        self._transport: Transport | None = None
        self._wrote_journal = False
        self._deadline: tuple[float, TimerHandle] | None = None

    # -- life --------------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Begin to connect; after a crash of this actor, go on with a new socket."""
        now = self.system.clock.now()
        if not self._wire.is_started:
            self._wire.is_started = True
            self._do(self._protocol.start(now))
        else:
            for call_id, ref in list(self._wire.live.items()):
                if ref.is_alive():
                    self.watch(ref)
                else:
                    del self._wire.live[call_id]
            self._do(self._protocol.closed(now, "the connection actor was restarted"))
            self._do(self._protocol.open_failed(now, "the connection actor was restarted"))

    def pre_restart(self, reason: ExitReason, message: object) -> None:
        """Leave no socket behind."""
        self._drop_transport(normal=False)
        self._wire.connector.cancel()

    def on_stop(self) -> None:
        """Leave no socket behind, and nobody waiting."""
        self._drop_transport(normal=True)
        self._wire.connector.cancel()
        if self._deadline is not None:
            self._deadline[1].cancel()
        for outgoing in list(self._wire.pending.values()):
            outgoing.on_answer(None, ConnectionLostError())
        self._wire.pending.clear()
        self._wire.ready.try_fail(ConnectionLostError())
        self._wire.ended.try_set(None)

    # -- messages ----------------------------------------------------------------------------------------------------

    def receive(self, message: object) -> Any:
        """Take requests to send, and what others want of the connection."""
        match message:
            case Outgoing():
                self._send(message)
            case Claim(owned=owned, ref=ref, is_call=is_call):
                if is_call:
                    self._wire.live[owned] = ref
                    self.watch(ref)
                self._router.hand_parked(owned, ref)
            case Down(ref=ref):
                self._forget(ref)
            case DialOver(tag=tag):
                self._wire.stale_tags.add(tag)
            case ChangeContexts():
                self._change_contexts(message)
            case Drain():
                self._wire.drains = True
                if self._protocol.contexts:
                    self._change_contexts(ChangeContexts(self._protocol.contexts, False, _log_refusal))
            case Disconnect():
                self._write()
                self._do(self._protocol.shut_down(self.system.clock.now()))
                message.done.try_set(True)
            case _:
                return super().receive(message)
        return None

    def after_batch(self) -> None:
        """Commit what the round has written, and only then let it out: the output gate (SEMANTICS J2)."""
        self._write()
        self._arm()

    def _write(self) -> None:
        self._save_session()
        if self._wrote_journal and self._wire.store is not None:
            self._wrote_journal = False
            self._wire.store.commit()
        texts = self._protocol.texts_to_send()
        if self._transport is None:
            return
        try:
            if texts:
                self._transport.send(texts)
        except TransportError as why:
            self._lost(str(why))
            return
        self.system.dispatcher.rearm(self._transport)

    def _arm(self) -> None:
        due = min(
            (d for d in (self._protocol.next_deadline(), self._wire.parking.next_deadline()) if d is not None),
            default=None,
        )
        armed = self._deadline
        if due is None or (armed is not None and armed[0] <= due):
            return  # an early wake-up finds nothing due and arms the next one
        if armed is not None:
            armed[1].cancel()
        self._deadline = (due, self.system.dispatcher.call_at(due, self._in_turn(self._tick)))

    def _tick(self) -> None:
        self._deadline = None
        now = self.system.clock.now()
        self._do(self._protocol.tick(now))
        self._router.expire(now)

    # -- sending -----------------------------------------------------------------------------------------------------

    def _send(self, outgoing: Outgoing) -> None:
        try:
            request_id = self._protocol.request(outgoing.method, outgoing.params, self.system.clock.now())
        except NotSentError as error:
            outgoing.on_answer(None, error)
            return
        except (TypeError, ValueError) as error:
            outgoing.on_answer(None, NotSentError(f"{outgoing.method} was not sent: {error}"))
            return
        self._wire.pending[request_id] = outgoing
        if self._wire.store is not None and outgoing.subject:
            self._journal(
                CommandIntended(
                    subject=outgoing.subject,
                    at=self.system.clock.wall(),
                    request_id=request_id,
                    method=outgoing.method,
                    params=outgoing.params,
                )
            )

    def _change_contexts(self, change: ChangeContexts) -> None:
        now = self.system.clock.now()
        ask = self._protocol.subscribe if change.adds else self._protocol.unsubscribe
        try:
            request_id = ask(change.contexts, now)
        except NotSentError as error:
            change.on_answer(None, error)
            return
        if request_id is None:
            change.on_answer({}, None)
        else:
            method = "signalwire.receive" if change.adds else "signalwire.unreceive"
            self._wire.pending[request_id] = Outgoing(method, {}, change.on_answer)

    def _settle(self, request_id: str, result: JsonObject | None, error: RelayActorsError | None) -> None:
        outgoing = self._wire.pending.pop(request_id, None)
        if outgoing is None:
            return
        if self._wire.store is not None and outgoing.subject:
            self._journal(
                CommandSettled(
                    subject=outgoing.subject,
                    at=self.system.clock.wall(),
                    request_id=request_id,
                    outcome=_outcome(error),
                    code=getattr(error, "code", 0),
                    result=result if result is not None else {"message": str(error)},
                )
            )
        outgoing.on_answer(result, error)

    # -- the socket --------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._wire.attempts += 1
        attempt, connector, cell = self._wire.attempts, self._wire.connector, self._cell

        def connect() -> None:
            try:
                transport = connector.connect()
            except ConnectFailedError as error:
                cell.tell_control(_Opened(cell, attempt, None, str(error)))
                return
            if not cell.tell_control(_Opened(cell, attempt, transport, "")):
                transport.abort()

        self.system.dispatcher.run_blocking(connect, "connect")

    def on_opened(self, attempt: int, transport: Transport | None, why: str) -> None:
        """A socket is open, or could not be opened."""
        now = self.system.clock.now()
        if attempt != self._wire.attempts or self._transport is not None:
            if transport is not None:
                transport.abort()
            return
        if transport is None:
            self._do(self._protocol.open_failed(now, why))
            return
        try:
            happenings = self._protocol.opened(now)
        except ProtocolError:  # given up meanwhile
            transport.abort()
            return
        self._transport = transport
        readable = self._in_turn(self._read)
        if transport.fileno() >= 0:
            self.system.dispatcher.watch(transport, readable)
        transport.set_waker(readable)
        self._do(happenings)

    def _read(self) -> None:
        transport = self._transport
        if transport is None:
            return
        try:
            if transport.wants_write():
                transport.flush()
            texts = transport.receive()
        except TransportError as why:
            self._lost(str(why))
            return
        now = self.system.clock.now()
        happenings: list[h.Happening] = []
        for text in texts:
            happenings += self._protocol.receive(text, now)
        self._do(happenings)
        if texts and transport.fileno() < 0 and self._transport is transport:
            self._in_turn(self._read)()  # nobody polls it: look again until there is nothing
        elif self._transport is transport:
            self.system.dispatcher.rearm(transport)

    def _lost(self, why: str) -> None:
        self._drop_transport(normal=False)
        self._do(self._protocol.closed(self.system.clock.now(), why))

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

    def _do(self, happenings: list[h.Happening]) -> None:
        """Do what the protocol says, in order; but first make durable what it was told (SEMANTICS J1)."""
        parsed = self._journal_events(happenings)
        for happening in happenings:
            match happening:
                case h.EventArrived(frame_id=frame_id):
                    self._protocol.acknowledge(frame_id)
                    self._router.route(parsed[id(happening)], self._cell)
                case h.RequestSucceeded(request_id=request_id, result=result):
                    self._settle(request_id, result, None)
                case h.RequestFailed(request_id=request_id, error=error):
                    self._settle(request_id, None, error)
                case h.RequestCancelled(request_id=request_id):
                    self._settle(request_id, None, ConnectionLostError("Connection shut down"))
                case h.OpenSocket():
                    self._open()
                case h.CloseSocket(why=why, normal=normal):
                    _log.info("closing the socket: %s", why)
                    self._wire.connector.cancel()
                    self._drop_transport(normal=normal)
                case h.LoggedIn():
                    self._on_logged_in(happening)
                case h.LogInRefused(error=error, final=final):
                    self._on_refused(error, is_final=final)
                case h.ConnectionDown():
                    self._on_down(happening)
                case h.Ignored(why=why):
                    _log.debug("ignored: %s", why)

    def _journal_events(self, happenings: list[h.Happening]) -> dict[int, RelayEvent]:
        arrived = [one for one in happenings if isinstance(one, h.EventArrived)]
        parsed = {id(one): parse_event(one.payload) for one in arrived}
        if self._wire.store is not None and arrived:
            wall = self.system.clock.wall()
            for one in arrived:
                frame_id = one.frame_id if isinstance(one.frame_id, str | int | float) else None
                subject = self._router.subject_of(parsed[id(one)]) or "session"
                self._journal(EventReceived(subject=subject, at=wall, frame_id=frame_id, payload=one.payload))
            self._wrote_journal = False
            self._wire.store.commit()
        return parsed

    def _on_logged_in(self, happening: h.LoggedIn) -> None:
        wire, now = self._wire, self.system.clock.now()
        wire.office.relay_protocol = happening.relay_protocol
        _log.info("logged in resumed=%s contexts=%s", happening.resumed, ",".join(self._protocol.contexts))
        if wire.lost_at is not None:
            gap_s = now - wire.lost_at
            wire.lost_at = None
            self.system.hooks.count("connection.restored")
            self._router.tell_restored(resumed=happening.resumed, gap_s=gap_s)
        wire.ready.try_set(None)

    def _on_refused(self, error: RelayActorsError, *, is_final: bool) -> None:
        _log.error("log in refused: %s%s", error, "; giving up" if is_final else "")
        self.system.hooks.count("connection.refused")
        self._wire.ready.try_fail(error)
        if is_final:
            self._wire.ended.try_set(error)

    def _on_down(self, happening: h.ConnectionDown) -> None:
        wire, now = self._wire, self.system.clock.now()
        in_s = "never" if happening.retry_at is None else f"{happening.retry_at - now:.3g}"
        _log.warning("connection down: %s; retry_in_s=%s", happening.why, in_s)
        self._drop_transport(normal=False)
        if happening.was_logged_in:
            wire.lost_at = now
            self.system.hooks.count("connection.lost")
            self._router.tell_lost()

    # -- small things ------------------------------------------------------------------------------------------------

    def _forget(self, ref: Any) -> None:
        leg = ref.kept.leg
        if self._wire.live.get(leg.call_id) is ref or self._wire.live.get(leg.call_id) == ref:
            del self._wire.live[leg.call_id]
        if self._wire.store is not None and leg.call_id:
            self._wire.store.forget(leg.call_id)
            self._wrote_journal = True

    def _journal(self, entry: Any) -> None:
        if self._wire.store is not None:
            self._wire.store.append([entry])
            self._wrote_journal = True

    def _save_session(self) -> None:
        if self._wire.store is None:
            return
        session = (self._protocol.relay_protocol, self._protocol.authorization_state)
        if session != self._wire.saved_session:
            self._wire.saved_session = session
            self._wire.store.put_session(Session(protocol=session[0], authorization_state=session[1]))
            self._wrote_journal = True

    def _in_turn(self, call: Any) -> Any:
        cell, notice = self._cell, _InTurn(call)

        def tell() -> None:
            cell.tell_control(notice)

        return tell


class _Opened(Internal):
    """An attempt to open a socket has come to its end."""

    __slots__ = ("_attempt", "_cell", "_transport", "_why")

    def __init__(self, cell: Any, attempt: int, transport: Transport | None, why: str) -> None:
        self._cell = cell
        self._attempt = attempt
        self._transport = transport
        self._why = why

    def deliver(self) -> None:
        """Hand it to the present incarnation."""
        self._cell.actor.on_opened(self._attempt, self._transport, self._why)


class _InTurn(Internal):
    """Something that is to be done in a turn of the connection."""

    __slots__ = ("_call",)

    def __init__(self, call: Any) -> None:
        self._call = call

    def deliver(self) -> None:
        """Do it."""
        self._call()


def _outcome(error: RelayActorsError | None) -> Outcome:
    match error:
        case None:
            return Outcome.OK
        case CommandRejectedError():
            return Outcome.REJECTED
        case NotSentError():
            return Outcome.NOT_SENT
        case _:
            return Outcome.UNKNOWN


def _log_refusal(_result: Mapping[str, object] | None, error: RelayActorsError | None) -> None:
    if isinstance(error, CommandRejectedError):
        _log.warning("contexts could not be given back: %s", error)
    elif error is not None:  # an application that stops does not wait for the answer
        _log.debug("contexts are given back by going: %s", error)
