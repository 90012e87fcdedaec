"""Workers that share the messages of one ref. Layer: pillar. Source: SEMANTICS S4, S8, S10 for what a failure does."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pykka

from relay_actors.errors import ActorError, ConfigError, MailboxFull
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.asking import ask_through
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import ChildFailed, ExitReason
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.routers import HashKey, Router, Routing, check_routing
from relay_actors.runtime.signals import Internal
from relay_actors.runtime.via_ref import unless_withheld

__all__ = ["Pool", "PoolRef"]

_log = logging.getLogger("relay_actors.runtime")


class Pool(Actor):
    """A number of equal workers behind one ref, each restarted in place when it fails.

    What is told or asked the ref of a pool goes to one of the workers, chosen on the sender's thread: the pool itself
    is not on the way. While the pool starts, or is restarted, messages wait, and keep their order.

    More than ``max_restarts`` of the workers within ``within_s``, all counted together, end the pool, about which its
    own supervisor decides; subclass it to change the two numbers. When the last worker has ended for good, the pool
    fails.

    Args:
        worker_class: of which class the workers are.
        args: positional arguments of each worker's constructor.
        size: how many there are.
        routing: who gets a message; see `Router`.
        key: for ``consistent_hash``; see `Router`.
        worker_spec: how workers are supervised; permanent by default.
        kwargs: keyword arguments of each worker's constructor.

    Raises:
        ConfigError: a size below 1, a routing that there is not, or a key that is missing or makes no sense.
    """

    shutdown_s: ClassVar[float] = math.inf

    def __init__(
        self,
        worker_class: type[pykka.Actor],
        *args: Any,
        size: int,
        routing: Routing = "round_robin",
        key: Callable[[Any], HashKey] | None = None,
        worker_spec: ChildSpec | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if not (isinstance(worker_class, type) and issubclass(worker_class, Actor)):
            raise ConfigError(f"Pool({worker_class!r}): give a class of actors")
        if size < 1:
            raise ConfigError(f"Pool(size={size}): a pool without workers would do nothing; 1 or more")
        check_routing(routing, key)
        self._worker = (worker_class, args, kwargs)
        self._worker_spec = worker_spec if worker_spec is not None else ChildSpec(restart=Restart.PERMANENT)
        self._size = size
        self._routing = routing
        self._key = key
        self._router: Router | None = None

    @classmethod
    def make_ref(cls, cell: Cell) -> PoolRef:
        """Make the ref, which sends to the workers."""
        return PoolRef(cell)

    def on_start(self) -> None:
        """Start the workers; those that were kept over a restart go on."""
        worker_class, args, kwargs = self._worker
        workers = [cell.ref for cell in self._cell.children or ()]
        while len(workers) < self._size:
            workers.append(self.spawn(worker_class, *args, spec=self._worker_spec, **kwargs))
        self._router = Router(workers, self._routing, key=self._key)

    def after_batch(self) -> None:
        """Let senders choose for themselves, as soon as nothing that was sent before is left to be passed on."""
        if self._router is not None:
            self._ref.open(self._router)

    def on_receive(self, message: object) -> Any:
        """Pass on what was sent while the workers were not there."""
        match message:
            case _Waiting(envelope=envelope):
                try:
                    is_sent = self._router is not None and self._router.send(envelope.message, envelope.reply_to)
                except MailboxFull as error:  # a dead letter already: who has sent it has gone on
                    if envelope.reply_to is not None:
                        envelope.reply_to.try_fail(error)
                    return None
                if not is_sent:
                    raise ActorIsDead(f"{self} has no living worker")
            case ChildFailed(ref=ref, reason=reason):
                _log.error("a pool has lost a worker pool=%s worker=%s reason=%s", self, ref, reason)
            case _:
                return super().on_receive(message)
        return None

    def on_child_ended(self, ref: pykka.ActorRef[Any], reason: ExitReason) -> None:
        """A worker has ended. Whether it is begun anew is decided after this: then it is looked who is left."""
        self.actor_ref.tell_ahead(_WorkerEnded(self, reason))

    def look_who_is_left(self, reason: ExitReason) -> None:
        """Fail if nobody is: without workers the pool is of no use.

        Raises:
            ActorError: the last one has ended for good.
        """
        if self._router is not None and not len(self._cell.children or ()):
            raise ActorError(f"every worker of {self} has ended, the last one with: {reason}")

    def on_child_started(self, ref: pykka.ActorRef[Any]) -> None:
        """A worker has been begun anew in place of one that was killed: from now on it is chosen, too."""
        if self._router is not None and ref not in self._router.refs:
            self._ref.close()
            worker_refs = [cell.ref for cell in self._cell.children or ()]
            self._router = Router(worker_refs, self._routing, key=self._key)

    def on_failure(self, *_about: Any) -> None:
        """Let messages wait for the next incarnation."""
        self._ref.close()

    def pre_restart(self, reason: ExitReason, message: object) -> None:
        """Let messages wait for the next incarnation."""
        self._ref.close()

    def on_stop(self) -> None:
        """The workers have ended."""
        self._ref.close()

    @property
    def _ref(self) -> PoolRef:
        ref: PoolRef = self._cell.ref
        return ref


class PoolRef(ActorRef[Any]):
    """A reference to a pool. To stop, watch or link it means the pool; to tell or ask it means one of its workers."""

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell)
        self._router: Router | None = None
        # Guards the change between the two ways, so that nothing overtakes what waits. Taken only while the way to the
        # workers is closed. Re-entrant, because a finaliser may run in the middle, and send.
        self._gate = threading.RLock()

    @property
    def workers(self) -> tuple[ActorRef[Any], ...]:
        """The workers that have not ended; empty while the pool starts."""
        router = self._router
        return () if router is None else router.refs

    def tell(self, message: object) -> None:
        """Send a message to a worker; see `Router.tell`."""
        if Actor.is_for_pykka(message):
            super().tell(message)
        elif (router := self._open_way) is not None:
            router.tell(message)
        elif not self.send(message):
            self._cell.dead_letter(message, "dead")
            raise ActorIsDead(f"{self} not found")

    def ask(self, message: Any, *, block: bool = True, **options: Any) -> Any:
        """Ask a worker; see `Router.ask`."""
        if Actor.is_for_pykka(message):
            return super().ask(message, block=block, **options)
        router = self._open_way
        if router is not None:
            return router.ask(message, block=block, **options)

        def send(reply: Future[Any]) -> None:
            if not self.send(message, reply):
                self._cell.dead_letter(message, "dead")
                reply.try_fail(ActorIsDead(f"{self} not found"))

        return ask_through(self._cell.system, f"{self}", message, send, block=block, timeout=options.get("timeout"))

    def send(self, message: object, reply: Future[Any] | None = None) -> bool:
        """Send a message to a worker; False if there is none: the pool is dead, or killed ones are being replaced."""
        router = self._open_way
        if router is not None:
            return router.send(message, reply)
        return unless_withheld(_Line(self), message, reply, lambda: self._send_in_line(message, reply), True)

    def _send_in_line(self, message: object, reply: Future[Any] | None) -> bool:
        router = self._wait_in_line(Envelope(message, reply))
        return router.send(message, reply) if isinstance(router, Router) else router

    def offer(self, envelope: Envelope) -> bool | None:
        """Send a message to a worker if that is possible at once, or let it wait for one; False if the pool is dead."""
        router = self._open_way or self._wait_in_line(envelope)
        is_taken = router.offer(envelope) if isinstance(router, Router) else router
        if is_taken is False and not self._cell.stopped:
            return None  # its workers were killed, and others are about to take their place
        return is_taken

    @property
    def _open_way(self) -> Router | None:
        return self._router if self._cell.kept_limit is None else None

    def open(self, router: Router) -> None:
        """Let senders choose for themselves, unless something still waits to be passed on. In the pool's turn."""
        if self._router is None:
            with self._gate:
                if self._cell.mailbox.user_length == 0:
                    self._router = router

    def close(self) -> None:
        """Let what is sent wait. In the pool's turn."""
        with self._gate:
            self._router = None

    def _wait_in_line(self, envelope: Envelope) -> Router | bool:
        """Have the pool itself pass on a message later: whether it lives; or the way to the workers, if open by now."""
        passed_on: Future[Any] = Future(self._cell.system.dispatcher)

        def settle(_passed_on: object) -> None:
            error = passed_on.error
            if error is not None:
                if envelope.reply_to is not None:
                    envelope.reply_to.try_fail(error)
                self._cell.refuse(envelope, "restart_overflow" if isinstance(error, MailboxFull) else "dead")

        passed_on.add_done_callback(settle)
        with self._gate:
            return self._open_way or self._cell.tell_user(_Waiting(envelope), passed_on)


class _Line:
    """Who waits in line, as far as `Outward` has to know it: as if it were a cell.

    Args:
        ref: the pool's.
    """

    __slots__ = ("dead_letter", "ref", "tell_user")

    def __init__(self, ref: PoolRef) -> None:
        self.ref = ref
        self.tell_user = ref.send
        self.dead_letter = ref._cell.dead_letter  # noqa: SLF001  # its own half


class _WorkerEnded(Internal):
    """A worker has ended, and when this is delivered it has been decided whether that is for good."""

    __slots__ = ("_pool", "_reason")

    def __init__(self, pool: Pool, reason: ExitReason) -> None:
        self._pool = pool
        self._reason = reason

    def deliver(self) -> None:
        """Look who is left, in the pool's turn."""
        self._pool.look_who_is_left(self._reason)


class _Waiting(Internal):
    """A message that waits until there are workers. The pool sees to it: it is never shown, and never a dead letter."""

    __match_args__ = ("envelope",)
    __slots__ = ("envelope",)

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
