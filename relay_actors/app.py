"""`RelayApp`: builds, runs and stops the tree. Layer: stair. Source: DESIGN sections 3 to 5."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from relay_actors.actors.app_checks import (
    NEEDS_JOURNAL,
    AtDeadline,
    check_at_deadline,
    check_calls_class,
    check_context,
    check_dial,
    check_drain,
    check_given,
    check_service,
    check_texts_class,
)
from relay_actors.actors.call import CallActor
from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.call_ref import Kept
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.give_up import HangUp
from relay_actors.actors.given_journal import GivenJournal
from relay_actors.actors.leg import Leg
from relay_actors.actors.requesting import Requesting
from relay_actors.actors.routing import Claim, Routes
from relay_actors.actors.showing import Showing
from relay_actors.actors.shutdown_tasks import ShutdownTask
from relay_actors.config import Limits, Settings, Timing, check_contexts
from relay_actors.connection_slots import check_may_start, take_slot
from relay_actors.errors import ConfigError, NameTaken, NotSentError, WouldDeadlock
from relay_actors.protocol.commands import Dial, SendMessage
from relay_actors.protocol.devices import Devices
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future
from relay_actors.runtime.garbage import not_looked_for

if TYPE_CHECKING:
    from relay_actors.actors.building import Ending, Shutdown, Tree
    from relay_actors.actors.message import MessageActor
    from relay_actors.actors.message_handle import MessageHandle
    from relay_actors.journal.base import Store
    from relay_actors.journal.sqlite import Durability
    from relay_actors.runtime.system import System
    from relay_actors.transport.base import Connector
    from relay_actors.transport.tapped import Tell

__all__ = ["RelayApp"]

C = TypeVar("C", bound=CallActor)
M = TypeVar("M", bound="MessageActor")
A = TypeVar("A", bound=Actor)

_HANG_UP: Final = HangUp("hangup")


class RelayApp(Requesting, Showing):
    """A phone application: which actors handle which calls and texts, and the connection to RELAY.

    Arguments win over environment variables. What is missing or cannot be used raises `ConfigError`, naming it, before
    any network activity: arguments when the application is made; when it is started, what is missing, what comes from
    the environment, and whether the CA bundle is there.

    Args:
        project: project id; else ``SIGNALWIRE_PROJECT_ID``.
        token: API token; else ``SIGNALWIRE_API_TOKEN``.
        jwt_token: a JWT in place of both; else ``SIGNALWIRE_JWT_TOKEN``.
        host: ``example.signalwire.com``, a port may follow; else ``SIGNALWIRE_SPACE``.
        contexts: from which to take calls and texts, beside those that have a class of their own.
        max_active_calls: beyond it inbound calls are passed on; else ``RELAY_MAX_ACTIVE_CALLS``, else 1000.
        journal: path of the journal's file, or a `Store`, which stays yours to close; None keeps none. A start goes on
            with the calls of the process that had it before, however that has ended. A damaged file is moved aside, and
            what can still be read of it is gone on with: `relay_actors.journal.opening`.
        durability: of a journal that is given by its path: ``process``, which survives ``kill -9``, or ``power``, where
            each commit waits for the disk.
        scheme: ``wss``, or ``ws`` for loopback; else ``SIGNALWIRE_RELAY_SCHEME``.
        ca_file: CA bundle; else ``SIGNALWIRE_RELAY_CA_FILE``.
        timing: all times.
        limits: all bounds.
        at_drain_deadline: what becomes of calls that are still up when a stop waits no longer: `HangUp`, `Apologise`
            (say something, then hang up), `TransferTo`, `LeaveUp`: they go on at the server, where nobody hears of
            them any more; or, with a journal, `LeaveForNext`: the next process goes on with them.
        name: begins the names of threads.
        metrics: whether to measure turns, too, at the cost of a few readings of the clock for each message.
        opentelemetry: whether each turn becomes a span; needs ``relay_actors[otel]``.

    Raises:
        ConfigError: an argument cannot be used; the text names it.
    """

    def __init__(
        self,
        project: str | None = None,
        token: str | None = None,
        jwt_token: str | None = None,
        host: str | None = None,
        contexts: Sequence[str] | None = None,
        *,
        max_active_calls: int | None = None,
        journal: str | os.PathLike[str] | Store | None = None,
        durability: Durability = "process",
        scheme: str | None = None,
        ca_file: str | None = None,
        timing: Timing | None = None,
        limits: Limits | None = None,
        at_drain_deadline: AtDeadline = _HANG_UP,
        name: str = "relay",
        metrics: bool = False,
        opentelemetry: bool = False,
    ) -> None:
        self.timing = timing if timing is not None else Timing()
        self.limits = limits if limits is not None else Limits()
        self.name = name
        self.measures_turns = metrics
        self.makes_spans = opentelemetry
        self.tell_frames: Tell | None = None
        self._given: dict[str, Any] = {
            "project": project,
            "token": token,
            "jwt_token": jwt_token,
            "host": host,
            "scheme": scheme,
            "ca_file": ca_file,
            "max_active_calls": max_active_calls,
        }
        self._contexts = check_contexts(contexts if contexts is not None else ())
        check_given(self._given)
        self._at_deadline = check_at_deadline(at_drain_deadline, has_journal=journal is not None)
        self._journal = GivenJournal(journal, durability)
        self._calls: Routes[CallActor] = Routes("calls")
        self._messages: Routes[MessageActor] = Routes("messages")
        self._services: list[tuple[type[Actor], str, tuple[Any, ...], dict[str, Any]]] = []
        self._tasks: list[ShutdownTask] = []
        self._run: Shutdown | None = None
        self._ends: Shutdown | None = None
        self._release: Callable[[], None] | None = None
        self._hands_over = False
        # Guards which tree runs, and which stop is under way: start, stop and signals may come from several threads.
        self._life = threading.Lock()
        self._stopping: Future[bool] | None = None

    def __repr__(self) -> str:
        state = "running" if self._run is not None else "not running"
        return f"<RelayApp {self.name} {state} contexts={list(self.contexts)}>"

    # -- who does what -----------------------------------------------------------------------------------------------

    def calls(self, context: str | None = None) -> Callable[[type[C]], type[C]]:
        """Decorate a `CallActor` class: it handles the inbound calls of ``context``; without one, all others.

        The context is asked for at the next log in; of an application that runs already, also call `receive`.

        Raises:
            ConfigError: the context has another class already, or either is not what it has to be: a class that has
                none of ``run``, ``on_receive``, ``on_start`` and ``receive`` would let callers ring for ever.
        """
        check_context("calls", context)

        def decorate(actor_class: type[C]) -> type[C]:
            check_calls_class(context, actor_class)
            self._calls.add(context, actor_class)
            return actor_class

        return decorate

    def messages(self, context: str | None = None) -> Callable[[type[M]], type[M]]:
        """Decorate a `MessageActor` class: it handles the inbound texts of ``context``; otherwise as `calls`."""
        check_context("messages", context)

        def decorate(actor_class: type[M]) -> type[M]:
            check_texts_class(context, actor_class)
            self._messages.add(context, actor_class)
            return actor_class

        return decorate

    def service(self, actor_class: type[A], *args: Any, name: str, **kwargs: Any) -> None:
        """Have a long-lived actor, a `ServiceActor` or any other, started now or with the application; see `lookup`.

        It is restarted whenever it fails or stops.

        Raises:
            ConfigError: the name is taken, ``actor_class`` is no actor, or its constructor does not take the arguments.
        """
        check_service(actor_class, name, [taken for _class, taken, _args, _kwargs in self._services], args, kwargs)
        self._services.append((actor_class, name, args, kwargs))
        if self._run is not None:
            self._run.tree.start_service(actor_class, name, args, kwargs)

    def on_shutdown(self, phase: str, function: Callable[[], Any], *, timeout_s: float | None = None) -> None:
        """Have a function called in a phase of each shutdown, beside what the framework does in it. Any thread.

        The phases are ``stop_intake``, ``finish_accepted``, ``drain_calls``, ``stop_actions``, ``close_connections``
        and ``stop_system``. The next one begins when all of a phase is done; what fails or takes too long is logged.

        Args:
            phase: in which. Commands can be sent until ``close_connections`` begins.
            function: takes no arguments. A function may block; a coroutine function, or a coroutine that a function
                returns, awaits what a flow may await.
            timeout_s: how long it may take; by default ``timing.stop_timeout_s``, and while calls are finished and
                drained, as long as that may take.

        Raises:
            ConfigError: one of them cannot be used, or the phase has begun (SEMANTICS H8).
        """
        task = ShutdownTask(phase, function, timeout_s)
        run = self._run
        if run is not None:
            run.add(task)
        self._tasks.append(task)

    @property
    def contexts(self) -> tuple[str, ...]:
        """The contexts that are asked for at log in: those given, and those that have a class."""
        return tuple(dict.fromkeys([*self._contexts, *self._calls.contexts, *self._messages.contexts]))

    @property
    def handlers(self) -> tuple[dict[str | None, type[CallActor]], dict[str | None, type[MessageActor]]]:
        """The classes of calls and of texts by context; that of None takes what has no class of its own."""
        return self._calls.classes, self._messages.classes

    @property
    def has_something_to_do(self) -> bool:
        """Whether it has a class of calls or texts, a context, a service, or a function of `on_shutdown`."""
        return bool(any(self.handlers) or self.contexts or self._services or self._tasks)

    # -- life --------------------------------------------------------------------------------------------------------

    def start(
        self,
        *,
        wait_s: float | None = 30.0,
        system: System | None = None,
        connector: Connector | None = None,
        journal: Store | None = None,
        **overrides: Any,
    ) -> None:
        """Start the tree and log in. Idempotent while running; may be called again after `stop`.

        Args:
            wait_s: how many seconds to wait for the first log in; None does not wait.
            system: in which to run; a new one by default, on threads. For tests: a deterministic one.
            connector: how to open the connection; a real socket by default. For tests: a memory connector.
            journal: in place of its own for this run; it stays yours to close. For tests: one in memory.
            overrides: arguments of the constructor for this run, of those that `Settings.from_env` takes: ``host``, ….

        Raises:
            ConfigError: something is missing or cannot be used.
            ConnectionLimitError: the process has as many connections as ``RELAY_MAX_CONNECTIONS`` allows.
            JournalError: the journal cannot be opened.
            RelayError: the server refused the log in.
            TimeoutError: no log in within ``wait_s``. The application is stopped again, as after every error.
        """
        self.launch(wait_s=wait_s, system=system, connector=connector, journal=journal, **overrides)

    @not_looked_for()  # of thousands of calls that are taken up all that is made stays
    def launch(
        self,
        *,
        wait_s: float | None = None,
        system: System | None = None,
        connector: Connector | None = None,
        journal: Store | None = None,
        **overrides: Any,
    ) -> Shutdown:
        """Start as `start` does, and return what ends this run: for `ending`."""
        from relay_actors.actors import building  # with all that only a run needs

        check_may_start()
        settings = self.check_settings(**overrides)
        building.show_log(settings.log_level)
        self._join_stop()
        with self._life:
            if self._run is not None:
                return self._run
            self._release = take_slot(settings.max_connections)
            try:
                self._journal.open(settings.credentials.secrets, hands_over=self._hands_over, instead=journal)
                tree = self._build(settings, system, connector)
                self._run = run = building.Shutdown(tree, self._tasks, self._at_deadline)
            except BaseException:
                self._free()
                raise
        try:
            tree.look_at_journal()
            for actor_class, name, args, kwargs in self._services:
                tree.start_service(actor_class, name, args, kwargs)
            tree.recover()
            tree.connect()
            if wait_s is not None:
                tree.wait_for_log_in(wait_s)
        except BaseException:
            self.stop()
            raise
        return run

    def check_settings(self, **overrides: Any) -> Settings:
        """Return what it would be started with now, from the constructor and the environment.

        Raises:
            ConfigError: something is missing or cannot be used.
        """
        return Settings.from_env(**{"contexts": self.contexts, **self._given, **overrides})

    def wait_for_log_in(self, wait_s: float) -> None:
        """Wait until a running application is logged in for the first time. Any thread but those of actors.

        Raises:
            RelayError: the server refused the log in.
            TimeoutError: no log in within ``wait_s`` seconds; it is tried further.
        """
        self._running().wait_for_log_in(wait_s)

    def _build(self, settings: Settings, system: System | None, connector: Connector | None) -> Tree:
        from relay_actors.actors import building

        return building.Tree(
            building.prepared(system, self.name, self.timing, measures=self.measures_turns, spans=self.makes_spans),
            settings,
            self.timing,
            self.limits,
            app=self,
            connector=building.new_connector(connector, settings, self.timing, self.limits, self.tell_frames),
            store=self._journal.store,
            calls=self._calls,
            messages=self._messages,
        )

    def stop(self, drain_s: float = 0.0) -> bool:
        """Stop everything; return whether nothing was left over. Idempotent: a second stop waits for the first.

        New calls are declined from now on. Calls that are up may go on for ``drain_s`` seconds; then they are hung up,
        or what else ``at_drain_deadline`` says, the connection is closed, and every actor and thread ends. A stop that
        finds a drain under way joins it, and the earlier deadline counts. Any thread but those of actors.

        Raises:
            ConfigError: ``drain_s`` cannot be used.
            WouldDeadlock: called inside an actor, which would wait for its own end.
        """
        check_drain(drain_s)
        run = self._run
        if drain_s > 0 and run is not None and here.turn is None:
            run.begin(drain_s).get()  # until then it runs: calls that are up may ask it for everything
        return self._take_down(lambda run: run.finish(drain_s))

    def leave(self, error: BaseException) -> bool:
        """Stop at once, and leave the calls that are up to the server: nothing is sent, and they go on there.

        Whatever is under way here, be it a request, a wait, an operation or a dial, ends with ``error``. There are no
        phases: nothing of `on_shutdown` is called. Otherwise as `stop`. Source: PROTOCOL 6.2.
        """
        return self._take_down(lambda run: run.tree.leave(error))

    def hand_over(self) -> bool:
        """Stop at once, and leave the calls that are up to the next process, which goes on with them from the journal.

        Nobody is hung up, and nothing is said to the server. Nothing more of what calls ask for is sent from now on,
        and what still comes is written down for the next process; texts that are being handled, blocking code of calls,
        and answers to what was sent, are waited for, a second at most each. Then the journal is free. Flows are
        cancelled, whoever else waits gets a `ConnectionLostError`, and what belongs to the phases of a shutdown is
        called. Returns whether the next process finds all that it needs, and nothing was left over here. Any thread but
        those of actors. See `LeaveForNext` and ``relay-actors run --handover``.

        Raises:
            ConfigError: there is no journal.
            WouldDeadlock: called inside an actor, which would wait for its own end.
        """
        if not self._journal.is_there:
            raise ConfigError(f"hand_over(): {NEEDS_JOURNAL}")
        run = self._run
        if run is not None and here.turn is None:
            run.finish_texts()  # until then it runs: their handlers, and calls, may ask it for everything
            run.finish_effects()
        return self._take_down(lambda run: run.hand_over(self._journal.close))

    def abandon(self) -> None:
        """Forget everything at once, as if the process had died. For tests whose system gets no more turns."""
        self._take_down(lambda _run: True)

    def _take_down(self, end: Callable[[Shutdown], bool]) -> bool:
        if here.turn is not None:
            raise WouldDeadlock("app.stop() waits until every actor has ended, so it cannot be called inside one")
        with self._life:
            run, self._run = self._run, None
            if run is not None:
                self._ends = run
                stopping: Future[bool] = Future(run.tree.system.dispatcher)
                self._stopping = stopping
        if run is None:
            return self._join_stop()
        is_clean = False
        try:
            is_clean = end(run)
        finally:
            self._ends = None
            try:
                self._free()
            finally:
                stopping.set(is_clean)
        return is_clean

    def _join_stop(self) -> bool:
        stopping = self._stopping
        return stopping.get() if stopping is not None else True

    def _free(self) -> None:
        release, self._release = self._release, None
        try:
            self._journal.close()
        finally:
            if release is not None:
                release()

    def run(self, *, drain_s: float = 600.0) -> None:
        """Start, and run until SIGINT or SIGTERM. Main thread only.

        Each SIGINT or SIGTERM makes it more urgent: the first one drains, that is, no new calls are taken, and those
        that are up may go on for ``drain_s`` seconds; the second declines callers who have not been answered, and
        dials nobody any more; the third hangs up all; the fourth ends the process at once, with exit status 1. Returns,
        too, when `stop` was called; and when a process that waits for the journal asks for the calls by SIGUSR1, as
        ``relay-actors run --handover`` does: then after `hand_over`. When the application fails for good, what can be
        drained is, before the error is raised.

        Raises:
            RelayError: the server has refused the log in too often.
            JournalError: the journal has failed, and nothing can be promised any more.
            ActorDead: a part of the framework has crashed too often.
            ConfigError: something is missing or cannot be used.
        """
        check_drain(drain_s)
        from relay_actors.actors.building import heeding_signals, next_word, old_ones_set_aside

        news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._hands_over = self.journal_path is not None
        with heeding_signals(news.put, lambda: self.calls_up, hands_over=self._hands_over):
            this_run, ending = None, None
            try:
                this_run, self._hands_over = self.launch(), False
                with old_ones_set_aside():
                    ending = self.ending(news.put, drain_s, this_run)
                    while not ending.hear(next_word(news)):
                        continue
            finally:  # also when a signal handler of the program's has raised, wherever that was
                self._hands_over = False
                if this_run is not None:
                    (self.hand_over if ending is not None and ending.hands_over else self.stop)()
            if ending.error is not None:
                raise ending.error

    def ending(self, tell: Callable[[str], None], drain_s: float = 600.0, run: Shutdown | None = None) -> Ending:
        """Return what knows how a running application ends, or a ``run`` that may have, for a loop of one's own."""
        from relay_actors.actors.building import Ending

        return Ending(run or self._this_run(), drain_s, tell, self._journal.leaves_to_next)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.stop()

    # -- beside the call ---------------------------------------------------------------------------------------------

    def dial(
        self,
        actor_class: type[CallActor],
        devices: Devices,
        *,
        tag: str | None = None,
        max_duration: int | None = None,
        dial_timeout: float | None = None,
        **data: Any,
    ) -> CallHandle:
        """Call out, and return a handle at once: ``handle.wait_for_answered().get(timeout=…)``. Any thread.

        The actor is told `DialEvent` and, when nobody answers, `DialFailed`; its ``run()`` begins when the call is
        answered. Of several legs one wins, and the others are hung up, also those that are answered too late.

        Args:
            actor_class: who handles the call.
            devices: tried one after the other; those of an inner list ring together. One alone needs no lists.
            tag: correlates; chosen for you, and the same one whenever the handler of a text is run again.
            max_duration: minutes (PROTOCOL D9).
            dial_timeout: seconds to wait for an answer; ``timing.dial_timeout_s`` by default.
            data: becomes ``self.data`` of the actor; a name that is nearly one of those above is warned of.

        Raises:
            ArgumentError: an argument cannot be used.
            ConfigError: the tag is in use, the class cannot be made of nothing, or the application is not running.
            NotSentError: it is being shut down, and more than one signal has come.

        Source: PROTOCOL 9.
        """
        check_dial(actor_class, dial_timeout)
        run = self._this_run()
        if run.rejects or run is self._ends:
            raise NotSentError("calling.dial was not sent: the application is being shut down, and dials nobody more")
        command = run.tree.with_tag(Dial(devices=devices, tag=tag, max_duration=max_duration))
        leg = Leg(direction="outbound", data=data)
        leg.tag = command.tag or ""
        leg.dialling = Dialling(command, dial_timeout if dial_timeout is not None else self.timing.dial_timeout_s)
        try:
            return run.tree.dial(actor_class, leg)
        except NameTaken:
            raise ConfigError(f"tag={leg.tag!r} is in use by another dial: choose a new one, or none") from None

    def attach(self, actor_class: type[CallActor], leg: Leg) -> CallHandle:
        """Have ``actor_class`` follow a call that is up at the server, as far as ``leg`` tells of it. Any thread.

        A call that somebody follows here already stays theirs; the handle is one of it.
        """
        known = self.call(leg.call_id)
        if known is not None:
            return known
        tree = self._running()
        leg.begun = True
        ref = tree.start_call(actor_class, Kept(leg, tree.office), ("call", leg.call_id))
        tree.office.tell_connection(Claim(leg.call_id, ref, is_call=True))
        return CallHandle(ref)

    def send_message(
        self,
        *,
        to_number: str,
        from_number: str,
        context: str | None = None,
        body: str | None = None,
        media: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        region: str | None = None,
        on_completed: Callable[[Any], Any] | None = None,
    ) -> MessageHandle:
        """Send a text, and return a handle at once: ``handle.wait(timeout=60).get()``. Any thread.

        Args:
            to_number: E.164.
            from_number: one of the project's numbers.
            context: the session's name by default.
            body: the text.
            media: URLs.
            tags: labels.
            region: of origin.
            on_completed: called with the event of the last state, ``failed`` also when the server refuses the text; a
                function or a coroutine function, as for `MessageHandle.on`. It ends with the process, although the text
                is followed by the next one, if there is a journal.

        Raises:
            ArgumentError: neither body nor media, or an argument cannot be used (a ValueError).
            ConfigError: the application is not running.

        Source: PROTOCOL 14.1.
        """
        if on_completed is not None and not callable(on_completed):
            raise ConfigError(f"on_completed must be a function of the event, not {on_completed!r}")
        from relay_actors.actors.message_handle import KeptMessage, TextMessage  # as in `check_texts_class`

        command = SendMessage(
            to_number=to_number,
            from_number=from_number,
            context=context,
            body=body,
            media=media,
            tags=tags,
            region=region,
        )
        tree = self._running()
        return tree.send_text(command, KeptMessage(TextMessage.to_send(command.to_params()), tree.office, on_completed))

    @property
    def calls_up(self) -> int:
        """How many calls are up, dials included; 0 when it does not run. Any thread."""
        run = self._run
        return 0 if run is None else run.tree.calls_up

    @property
    def is_running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._run is not None

    def _this_run(self) -> Shutdown:
        # One that is being ended runs until it has: its actors, and what belongs to its phases, may ask it for things.
        run = self._run or self._ends
        if run is None:
            raise ConfigError("the application is not running: call app.start(), or use it in `with app:`")
        return run

    def _running(self) -> Tree:
        return self._this_run().tree

    @property
    def journal_path(self) -> str | None:
        """Where the journal's file is; None if there is none, or if it is a `Store` of yours."""
        return self._journal.path
