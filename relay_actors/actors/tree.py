"""The tree of one running application. Layer: hall. Source: DESIGN section 3.

::

    root                permanent children, in this order
     ├─ services        long-lived actors of the user
     ├─ calls           one CallActor each
     ├─ messages        one MessageActor each
     ├─ desk            hands the application the answers to its own requests
     └─ connection      owns the socket; last, so that its restart takes no call with it

The supervisors keep their children when they are restarted themselves: these have not failed.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from relay_actors.actors.beginnings import begun
from relay_actors.actors.blocking import BlockingWait
from relay_actors.actors.call_handle import CallHandle, HandleByTag
from relay_actors.actors.call_ref import CallRef, Kept
from relay_actors.actors.calls_supervisor import CallsSupervisor
from relay_actors.actors.connection import ConnectionActor
from relay_actors.actors.desk import Desk, DeskActor, Settles
from relay_actors.actors.holding import Release as ReleaseHeld
from relay_actors.actors.holding import TakeBack
from relay_actors.actors.in_turn import tell_in_turn
from relay_actors.actors.leaving import Leave, Release
from relay_actors.actors.leg import Leg
from relay_actors.actors.message import MessageRef, MessagesSupervisor, OutboundMessageActor
from relay_actors.actors.message_handle import KeptMessage, MessageHandle
from relay_actors.actors.notices import ConnectionLost, ConnectionRestored
from relay_actors.actors.office import App, Office
from relay_actors.actors.orders import LetGo
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.recovery import Recovery
from relay_actors.actors.routing import Claim, Routes
from relay_actors.actors.sent_texts import SentText
from relay_actors.actors.service import KeptService
from relay_actors.actors.text_turns import TEXT, text_turn
from relay_actors.actors.wire import ChangeContexts, Connect, Disconnect, Wire
from relay_actors.config import Limits, Settings, Timing
from relay_actors.errors import ActorDead, ConnectionLostError, NameTaken, NotSentError, RelayActorsError
from relay_actors.journal.base import Store
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.client import ClientProtocol
from relay_actors.protocol.commands import Dial, SendMessage
from relay_actors.protocol.happenings import ConnectionDown, RequestFailed
from relay_actors.protocol.scrub import scrub
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef, cell_of
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.supervisor import DynamicSupervisor
from relay_actors.runtime.system import System
from relay_actors.transport.base import Connector

__all__ = ["ServicesSupervisor", "Tree"]

_log = logging.getLogger("relay_actors.app")

# Each has a window of its own: one that has failed for good is told of while the others live, and can be shut down in
# order (SEMANTICS S8). Not begun anew after a kill: everybody holds the ref, which is dead then.
_PILLAR = ChildSpec(restart=Restart.PERMANENT, keep_children=True, max_restarts=3, within_s=5.0, revive_killed=False)


class _Root(DynamicSupervisor):
    """Supervises everything. When a part has failed for good, so has the application, and those who wait are told."""

    def __init__(self, wire: Wire, failed: Future[RelayActorsError]) -> None:
        super().__init__()
        self._wire = wire
        self._failed = failed

    def on_child_ended(self, ref: Any, reason: ExitReason) -> None:
        """A pillar has ended for good: what it owed is settled."""
        error = _error_of(reason, ref.actor_class.__name__)
        if issubclass(ref.actor_class, ConnectionActor):
            self._release(error)
        if not self._cell.is_stopped:
            self._failed.try_set(error)

    def on_stop(self) -> None:
        """Everything stops; or has failed, and all is settled already."""
        self._release(_error_of(self._cell.exit_reason, type(self).__name__))

    def _release(self, error: RelayActorsError) -> None:
        self._wire.release(error)
        self._wire.ended.try_set(error)


class ServicesSupervisor(DynamicSupervisor):
    """Supervises the long-lived actors of the user."""


def _error_of(reason: ExitReason, who: str) -> RelayActorsError:
    if isinstance(reason.cause, RelayActorsError):
        return reason.cause
    error = ActorDead(f"the application has failed: {who} ended for good: {reason}")
    error.__cause__ = reason.cause
    return error


class Tree:
    """Builds the tree of one application, and takes it down.

    Args:
        system: in which it lives.
        settings: how to connect.
        timing: all times.
        limits: all bounds.
        app: the application.
        connector: opens sockets.
        store: the journal, or None.
        calls: who handles inbound calls.
        messages: who handles inbound texts.

    Attributes:
        failed: settled when the tree, or a part of it without which it is of no use, has failed for good.
    """

    def __init__(
        self,
        system: System,
        settings: Settings,
        timing: Timing,
        limits: Limits,
        *,
        app: App,
        connector: Connector,
        store: Store | None,
        calls: Routes[Any],
        messages: Routes[Any],
    ) -> None:
        self.system = system
        self.host = settings.host
        self.office = Office(system, timing, limits, app)
        protocol = ClientProtocol(
            settings.credentials,
            contexts=settings.contexts,
            timing=timing,
            limits=limits,
            new_id=system.new_id,
            jitter=system.random.random,
        )
        self.wire = Wire(
            self.office,
            protocol,
            connector,
            store=store,
            calls=calls,
            messages=messages,
            max_active_calls=settings.max_active_calls,
        )
        self.failed: Future[RelayActorsError] = Future(system.dispatcher)
        self._texts_on_record: dict[str, KeptMessage | None] = {}
        self._recovery: Recovery | None = None
        self._on_record: frozenset[str] = frozenset()
        self._root = system.start(_Root, self.wire, self.failed)
        self._services = system.start_child(self._root, ServicesSupervisor, spec=_PILLAR)
        self.office.calls = system.start_child(self._root, CallsSupervisor, spec=_PILLAR)
        self.office.messages = system.start_child(self._root, MessagesSupervisor, spec=_PILLAR)
        self.office.desk = Desk(system.start_child(self._root, DeskActor, spec=_PILLAR), system.dispatcher)
        # Before any service: what services send while they start waits in its queue.
        self.office.connection = system.start_child(self._root, ConnectionActor, self.wire, spec=_PILLAR)

    def look_at_journal(self) -> None:
        """See what a former process had in hand. Any thread but those of actors.

        Before the services are started: until `recover` is through none of them may dial under the tag of a call that
        is to be taken up, which would find it taken, and be hung up.

        Raises:
            JournalError: the journal cannot be read.
        """
        if self.wire.journal.is_kept:
            self._recovery = Recovery(self.office, self.start_call, self._start_text, self._texts_on_record)
            self._on_record = frozenset(self._recovery.look())

    def recover(self) -> int:
        """Take up what the journal says that a former process had in hand; return how many calls there are again.

        Before `connect`, and after the services were started. Any thread but those of actors.

        Raises:
            JournalError: the journal cannot be read.
        """
        recovery, self._recovery = self._recovery, None
        taken_up = recovery.run() if recovery is not None else 0
        self._on_record = frozenset()  # each has its tag again
        return taken_up

    def connect(self) -> None:
        """Open the connection, and keep it open."""
        _be_ready_for_a_loss()  # first: beside the log in it would hold that up
        self.office.tell_connection(Connect())

    def start_service(
        self, actor_class: type[Actor], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> ActorRef[Any]:
        """Start a long-lived actor of the user."""
        spec = ChildSpec(
            restart=Restart.PERMANENT,
            max_restarts=100,  # never reached: the pauses allow a dozen a second, so it is restarted for ever
            within_s=1.0,
            backoff=Backoff(min_s=0.1, max_s=30.0),
            shutdown_s=self.office.timing.stop_timeout_s,
        )
        kept, keys = KeptService(self.office), (("service", name),)
        return self.system.start_child(self._services, actor_class, *args, spec=spec, keep=kept, keys=keys, **kwargs)

    def start_call(self, actor_class: type[Any], kept: Kept, key: tuple[str, str]) -> CallRef:
        """Start the actor of a call that this side dials."""
        spec = self.office.spec_of(actor_class)
        ref = self.system.start_child(self.office.calls, actor_class, spec=spec, keep=kept, keys=(key,))
        assert isinstance(ref, CallRef)
        return ref

    def with_tag(self, command: Dial) -> Dial:
        """Return a dial with a tag: its own, or one that is the same whenever the code that dials is run again."""
        if command.tag is not None:
            return command
        turn, outward = text_turn(), getattr(here.turn, "outward", None)
        name = turn.next_name() if turn is not None else None if outward is None else outward.next_name()
        return command.with_tag(name or self.system.new_id())

    def dial(self, actor_class: type[Any], leg: Leg) -> CallHandle:
        """Call out; return when the connection knows of it, and the journal with its next commit.

        Or find the call, if a former process has dialled it for the code that is run again here.

        Raises:
            NameTaken: there is another dial of that tag.
        """
        leg.course.is_kept = self.wire.journal.is_kept
        turn, outward = text_turn(), getattr(here.turn, "outward", None)
        if turn is not None:
            former = turn.former.get(leg.tag)
            if isinstance(former, CallRef):
                return CallHandle(former)
            leg.cause = turn.message_id
            return self._dial(actor_class, leg)
        if outward is None:
            return self._dial(actor_class, leg)
        leg.cause = outward.subject
        found: CallHandle = outward.begins(
            lambda: self._dial(actor_class, leg), lambda: HandleByTag(self.office, leg.tag, outward.course)
        )
        return found

    def _dial(self, actor_class: type[Any], leg: Leg) -> CallHandle:
        dialling = leg.dialling
        assert dialling is not None
        self.office.doubts.look_at_dial(leg.data)
        if leg.tag in self._on_record:
            raise NameTaken(f"{leg.tag!r}: the tag of a call that is being taken up")
        former = self.office.find(("tag", leg.tag))
        if isinstance(former, CallRef) and former.is_done_with_tag:
            self.system.registry.unregister(("tag", leg.tag), former._cell)  # noqa: SLF001  # its own
        started = begun(leg, actor_class, self.office)
        ref = self.start_call(actor_class, Kept(leg, self.office), ("tag", leg.tag))
        self.office.tell_connection(Claim(leg.tag, ref, is_call=True))
        if leg.course.is_kept:
            self.office.tell_connection(started)
        self.system.hooks.count("dials.placed")
        dialling.is_known = True
        tell_in_turn(ref.runs_as, lambda actor: actor.begin_dial())
        return CallHandle(ref)

    def send_text(self, command: SendMessage, kept: KeptMessage) -> MessageHandle:
        """Send a text; or find it, if a former process has sent it for the code that is run again here."""
        turn, outward = text_turn(), getattr(here.turn, "outward", None)
        if turn is None:
            name = None if outward is None else outward.next_name()
            kept.name = f"{TEXT}{name or self.system.new_id()}"
            if outward is None:
                return MessageHandle(kept, self._send_text(command, kept))
            handle: MessageHandle = outward.begins(
                lambda: MessageHandle(kept, self._send_text(command, kept)),
                lambda: MessageHandle(kept, None),
                lambda: self._find_text(kept),
            )
            return handle
        kept.name, kept.cause = turn.next_name(), turn.message_id
        former = turn.former.get(kept.name)
        if isinstance(former, MessageRef):
            former.attach(kept.on_completed)
            return MessageHandle(former.kept, former)
        return MessageHandle(kept, self._send_text(command, kept))

    def _send_text(self, command: SendMessage, kept: KeptMessage) -> MessageRef | None:
        if kept.name in self._texts_on_record:  # and that its call has sent it was not, when the process ended
            self._find_text(kept)
            return None
        ref = self._start_text(None, kept)
        ref.begin_sending(command)
        return ref

    def _find_text(self, kept: KeptMessage) -> None:
        """Let who waits for a text that a former process has sent be told of it; if it is over, of nothing more."""
        if kept.name in self._texts_on_record:
            self._texts_on_record[kept.name] = kept
        else:
            kept.let_nobody_wait("and so has the process that has sent it")

    def _start_text(self, sent: SentText | None, kept: KeptMessage) -> MessageRef:
        spec = self.office.spec_of(OutboundMessageActor)
        ref = self.system.start_child(self.office.messages, OutboundMessageActor, sent, spec=spec, keep=kept)
        assert isinstance(ref, MessageRef)
        return ref

    def execute(self, method: str, params: JsonObject) -> Future[JsonObject]:
        """Send any request."""
        future, on_answer = self.office.desk.open()
        self.office.send(Outgoing(method, params, on_answer))
        return future

    def take_back(self, asked: Future[JsonObject]) -> None:
        """Have a request not sent, if it has not left yet; it then fails."""

        def concerns(outgoing: Outgoing) -> bool:
            return isinstance(outgoing.on_answer, Settles) and outgoing.on_answer.future is asked

        self.office.tell_connection(TakeBack(concerns))

    def change_contexts(self, contexts: tuple[str, ...], *, adds: bool) -> Future[JsonObject]:
        """Listen to more contexts, or to fewer."""
        future, on_answer = self.office.desk.open()
        if not self.office.tell_connection(ChangeContexts(contexts, adds, on_answer)):
            on_answer(None, NotSentError("the contexts were not changed: the application is not running"))
        return future

    @property
    def is_connected(self) -> bool:
        """Whether something can be said to the server now."""
        return self.office.connection.is_alive() and self.wire.protocol.is_ready

    @property
    def may_connect(self) -> bool:
        """Whether there is a connection, or one is still tried for."""
        return self.office.connection.is_alive() and not self.wire.ended.is_settled

    @property
    def overdue_s(self) -> float:
        """For how many seconds the connection has owed something, such as a time-out; 0.0 when it is in time."""
        due = self.wire.protocol.next_deadline()
        return 0.0 if due is None else max(0.0, self.system.clock.now() - due)

    @property
    def calls_up(self) -> int:
        """How many calls are up, dials included."""
        return len(self.handles())

    @property
    def root(self) -> ActorRef[Any]:
        """Who supervises everybody."""
        return self._root

    def numbers(self) -> dict[str, int]:
        """Return what is to be measured beside what the actors count."""
        handles = self.handles()
        dials = [handle.leg.dialling for handle in handles]
        pending = sum(dialling is not None and not dialling.is_over for dialling in dials)
        return {
            "calls.up": len(handles),
            "connection.up": int(self.wire.protocol.is_ready),
            "dials.pending": pending,
        }

    def leave(self, error: BaseException) -> bool:
        """Disconnect, and end all actors and threads, without a word to the server, where calls go on (PROTOCOL 6.2).

        Whoever waits for something is told ``error``. True if nothing was left over.
        """
        timeout_s = self.office.timing.stop_timeout_s
        refs = self.refs()
        # Before anything else fails: the first word that somebody gets is the one that counts.
        self.office.desk.close(error)
        for text in self.texts():
            text.kept.let_go(error)
        let_go: list[Future[None]] = [Future(self.system.dispatcher) for _ref in refs]
        for ref, done in zip(refs, let_go, strict=True):
            ref.post(LetGo(error, done))
        if not all(_get(done, timeout_s) for done in let_go):
            _log.error("a call's handler does not come back, and its call is left all the same")
        self._disconnect(timeout_s)
        return self.end(refs)

    def leave_for_next(self) -> Future[bool]:
        """Have the connection leave all calls to the next process. Any thread; does not wait.

        Returns:
            What is settled when the journal is not used any more, and the socket is closed: whether all that the next
            process needs is in the journal. Then call `let_go`.
        """
        done: Future[bool] = Future(self.system.dispatcher)
        self.office.is_leaving = True
        if not self.office.tell_connection(Leave(done)):
            done.try_set(False)
        return done

    def effects(self) -> list[Future[Any]]:
        """Return what calls wait for that blocking code is about to give. Any thread."""
        begun = [one for ref in self.refs() for one in list(ref.kept.leg.course.results.values())]
        return [one.wait for one in begun if isinstance(one.found, BlockingWait)]

    def let_go(self) -> None:
        """End the actors of all calls and texts, which were left to the next process. Any thread; does not wait.

        Their flows are cancelled, as if each was alone in the world: nobody is told an error that somebody could do
        something about, before all are.
        """
        error = ConnectionLostError("the application has stopped, and left its calls to the next process")
        self.office.left = error
        calls, texts = self.refs(), self.texts()
        for ref in (*calls, *texts):
            ref.stop(block=False, now=True)
        self.office.is_let_go = True
        for call in calls:
            if cell_of(call).has_ended:  # since; not one that is told to end, whose code may still clean up
                call.kept.leg.close(error)
        for text in texts:
            text.kept.let_go(error)
        self.office.tell_connection(Release(error))
        for reply in self.office.unasked:
            if reply is not None:
                reply.try_fail(error)  # whose flow is cancelled before it sees that

    def end(self, refs: list[CallRef]) -> bool:
        """End all actors and threads; True if nothing was left over.

        Args:
            refs: all calls that were up when the end began.
        """
        is_clean = self.system.stop(self.office.timing.stop_timeout_s)
        for ref in refs:  # also of those that had to be killed: nobody is left waiting (SEMANTICS X2)
            ref.kept.leg.close(self.office.left)
        if self.office.left is None:
            # All actors have ended, so nobody else touches the journal. Who could not be hung up is for the next one.
            self.wire.journal.keep_only({ref.kept.leg.subject for ref in refs if ref.kept.leg.needs_hang_up})
        return is_clean

    def _disconnect(self, timeout_s: float) -> None:
        done: Future[bool] = Future(self.system.dispatcher)
        if self.office.tell_connection(Disconnect(done)) and not _get(done, timeout_s):
            _log.error("the connection did not close within %g s", timeout_s)

    def wait_for_log_in(self, wait_s: float) -> None:
        """Wait until it is logged in for the first time. See `RelayApp.wait_for_log_in`."""
        try:
            self.wire.ready.get(timeout=wait_s)
        except WaitTimeout:
            why = self.wire.last_problem or "it does not answer"
            raise TimeoutError(
                f"no log in at {self.host} within {wait_s:g} s: {why}. Check SIGNALWIRE_SPACE (host) and the network, "
                "or give start(wait_s=…) more time; start(wait_s=None) goes on trying in the background"
            ) from None

    def refs(self) -> list[CallRef]:
        """Return all calls that have an actor, in the order of their start; after a kill it began with the youngest."""
        return [cell.ref for cell in self.system.living if isinstance(cell.ref, CallRef)]

    def handles(self) -> list[CallHandle]:
        """Return the calls that are up, and dials, as far as they are this application's, in the same order."""
        return [CallHandle(ref) for ref in self.refs() if ref.kept.leg.is_ours]

    def texts(self) -> list[MessageRef]:
        """Return all texts that have an actor, the oldest first."""
        return [cell.ref for cell in self.system.living if isinstance(cell.ref, MessageRef)]


def _get(future: Future[Any], timeout_s: float) -> bool:
    """Wait for a future; return whether it was settled in time."""
    try:
        future.get(timeout=timeout_s)
    except WaitTimeout:
        return False
    return True


def _be_ready_for_a_loss() -> None:
    """Make now what is made when it is first used, and first used when the connection is lost: all calls wait then."""
    scrub("")
    for told in (ConnectionDown, ConnectionLost, ConnectionRestored, ReleaseHeld, RequestFailed):
        dataclasses.fields(told)
