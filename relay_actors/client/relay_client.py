"""`RelayClient`: an application's connection to RELAY, for asyncio. Layer: door. Source: PROTOCOL 6, 9, 14, 15, 20."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

from relay_actors.actors.app_checks import AtDeadline, check_drain
from relay_actors.actors.call import CallActor
from relay_actors.actors.ending import heeding_signals, own_signals
from relay_actors.actors.give_up import DEFAULTS, GiveUp, HangUp, OnGiveUp, policies
from relay_actors.app import RelayApp
from relay_actors.client.base import ClientApp, Handler
from relay_actors.client.call import Call, ClientCall
from relay_actors.client.message import ClientText, Message
from relay_actors.config import Settings
from relay_actors.errors import ConfigError, NotSentError
from relay_actors.protocol.base import JsonObject
from relay_actors.runtime.loop_calls import LoopCalls, aside, pause, required
from relay_actors.runtime.loop_watch import LoopWatch

if TYPE_CHECKING:
    from relay_actors.actors.shutdown import Shutdown
    from relay_actors.journal.base import Store
    from relay_actors.protocol.devices import Devices

__all__ = ["RelayClient"]

H = TypeVar("H", bound=Callable[[Any], Any])

_log = logging.getLogger("relay_actors.client")

LOG_IN_S: Final = 30.0
_HANG_UP: Final = HangUp("hangup")
_ADVICE: Final = (
    "all calls and texts of this client wait. Await asyncio.to_thread(function, ...) in place of what blocks, or give "
    'each call a thread of its own by RelayClient(isolation="call")'
)


class RelayClient:
    """A connection to RELAY: takes calls and texts, dials, sends. It comes back by itself when it is lost.

    Arguments win over environment variables. Handlers run as tasks on the loop on which the client was connected; one
    that blocks it is reported with its line. The first six arguments are those of the official client, the others are
    this one's own.

    Args:
        project: project id; else ``SIGNALWIRE_PROJECT_ID``.
        token: API token; else ``SIGNALWIRE_API_TOKEN``.
        jwt_token: a JWT in place of both; else ``SIGNALWIRE_JWT_TOKEN``.
        host: ``example.signalwire.com``; else ``SIGNALWIRE_SPACE``.
        contexts: from which to take calls and texts.
        max_active_calls: beyond it inbound calls are passed on; else ``RELAY_MAX_ACTIVE_CALLS``, else 1000.
        isolation: ``client``: all handlers share the loop. ``call``: the handler of each inbound call has a thread and
            a loop of its own, with what it starts and what it listens to, as long as the call lasts.
        on_give_up: what becomes of a call whose handler has crashed, as for `CallActor.on_give_up`: by default it is
            hung up, and a bridged call is left to those who talk. None: that is logged, and the call stays up.
        journal: path of the journal's file, or a `Store`, as for `RelayApp`: a start goes on with the calls of the
            process before. The handler of an inbound call is then begun anew, with ``call.state`` as it is; who has
            been dialled is hung up; those who talk to each other are left to do so.
        drain_s: how many seconds calls may go on after the first signal that ends `run`.
        at_drain_deadline: what becomes of those that are up then; as for `RelayApp`.

    Attributes:
        app: the application underneath, for what this API does not have.
        loops: where the handlers run.
        call_handler, message_handler: what `on_call` and `on_message` were given last.
        gives_up, isolates_calls: what the arguments have said.

    Raises:
        ConfigError: something is missing or cannot be used (a ValueError).
    """

    def __init__(
        self,
        project: str | None = None,
        token: str | None = None,
        jwt_token: str | None = None,
        host: str | None = None,
        contexts: Sequence[str] | None = None,
        max_active_calls: int | None = None,
        *,
        isolation: Literal["client", "call"] = "client",
        on_give_up: OnGiveUp | None = DEFAULTS,
        journal: str | os.PathLike[str] | Store | None = None,
        drain_s: float = 600.0,
        at_drain_deadline: AtDeadline = _HANG_UP,
    ) -> None:
        account: dict[str, Any] = {"project": project, "token": token, "jwt_token": jwt_token, "host": host}
        settings = Settings.from_env(**account, contexts=contexts, max_active_calls=max_active_calls)
        if isolation not in ("client", "call"):
            raise ConfigError(f'isolation={isolation!r}: must be "client" or "call"')
        check_drain(drain_s)
        self.gives_up: Mapping[str, GiveUp] | None
        try:
            self.gives_up = None if on_give_up is None else policies(on_give_up, CallActor)
        except ValueError as error:
            raise ConfigError(f"on_give_up={on_give_up!r}: must be None, or {error}") from error
        self.project = settings.credentials.project
        self.token = settings.credentials.token
        self.jwt_token = settings.credentials.jwt_token
        self.host = settings.host
        self.contexts = list(settings.contexts)
        self.isolates_calls = isolation == "call"
        self.loops = LoopCalls()
        self.call_handler: Handler | None = None
        self.message_handler: Handler | None = None
        self.app: RelayApp
        self.app = app = ClientApp(
            max_active_calls=settings.max_active_calls, journal=journal, at_drain_deadline=at_drain_deadline
        )
        app.client = self
        app.calls()(ClientCall)
        app.messages()(ClientText)
        # What follows a call, and the handlers of texts, may still ask for everything meanwhile.
        app.on_shutdown("stop_actions", self._let_handlers_end, timeout_s=2 * app.timing.wrap_up_s)
        self._drain_s = drain_s
        self._connecting = 0  # how many wait for the log in
        self._is_tried = False  # whether it is only there because somebody has tried to connect
        self._watch: LoopWatch | None = None

    def __repr__(self) -> str:
        state = "connected" if self.app.is_running else "not connected"
        return f"<RelayClient {self.host} {state} contexts={self.contexts}>"

    @property
    def relay_protocol(self) -> str:
        """The name of the present session, or ""."""
        return self.app.relay_protocol if self.app.is_running else ""

    def on_call(self, handler: H) -> H:
        """Decorate the handler of inbound calls, ``async def handler(call)``; the last one that is given wins.

        Each call gets a task of its own. When the handler returns, the call stays as it is; when it raises, that is
        logged, and the call hung up.
        """
        self.call_handler = required(handler)
        return handler

    def on_message(self, handler: H) -> H:
        """Decorate the handler of inbound texts, ``async def handler(message)``; the last one that is given wins."""
        self.message_handler = required(handler)
        return handler

    async def connect(self) -> None:
        """Log in, and stay connected until `disconnect`. Idempotent.

        Handlers stay on the loop of the first call of this; if that has been closed, they move to the running one.

        Raises:
            ConnectionLimitError: ``RELAY_MAX_CONNECTIONS`` are in use in this process (a RuntimeError).
            RelayError: the server refused the log in.
            TimeoutError: no log in within 30 s.
        """
        if self._start() is not None:
            self._is_tried = True
        self._connecting += 1
        try:
            await aside(self.app.wait_for_log_in, LOG_IN_S)
            self._is_tried = False
        except BaseException:
            if self._is_tried and self._connecting == 1:  # nobody else waits for it
                self._is_tried = False
                await self.disconnect()
            raise
        finally:
            self._connecting -= 1

    async def disconnect(self) -> None:
        """Close the connection. Idempotent.

        Nothing is sent: calls go on at the server. What is under way here, be it a request, a dial, a wait or a running
        action, is cancelled where it is awaited.
        """
        self._stop_watch()
        await aside(self.app.leave, asyncio.CancelledError("the client was disconnected"))

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.disconnect()

    def run(self) -> None:
        """Connect, and run until `disconnect`, SIGINT or SIGTERM, on a loop of its own.

        The first signal drains: no new calls, and those that are up may go on for ``drain_s`` seconds; handlers have
        ``timing.wrap_up_s`` more, 30 s, for what they do after their call. The second
        declines who has not been answered, the third hangs up all, the fourth ends the process at once. A signal for
        which the program has a handler of its own stays the program's. In a thread other than the main one there are no
        signals to be heard.

        Raises:
            ConnectionLimitError: ``RELAY_MAX_CONNECTIONS`` are in use in this process (a RuntimeError).
            RelayError: the server has refused the log in three times.
            RuntimeError: a loop runs here already.
        """
        if asyncio._get_running_loop() is not None:  # noqa: SLF001  # documented: None without one
            raise RuntimeError(
                "client.run() makes a loop of its own, and here one runs already: await client.connect(), or write "
                "`async with client:`"
            )
        runner, news = asyncio.Runner(), asyncio.Queue[str]()
        loop = runner.get_loop()

        def tell(word: str) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed: it has ended already
                loop.call_soon_threadsafe(news.put_nowait, word)

        hears_signals = threading.current_thread() is threading.main_thread()
        heeding = heeding_signals(tell, lambda: self.app.calls_up, spares=own_signals()) if hears_signals else None
        with heeding or contextlib.nullcontext(), runner:
            runner.run(self._run(news, tell))

    async def _run(self, news: asyncio.Queue[str], tell: Callable[[str], None]) -> None:
        this_run = self._start()
        try:
            ending = self.app.ending(tell, self._drain_s, this_run)
            while not ending.hear(await news.get()):
                continue
        finally:  # also when a handler has left by SystemExit
            self._stop_watch()
            await aside(self.app.stop)
        if ending.error is not None:
            raise ending.error

    def _start(self) -> Shutdown | None:
        if self.app.is_running and not self.loops.is_over:  # it stays on the loop on which it was connected
            return None
        loop = self.loops.bind()
        given = {name: getattr(self, name) or None for name in ("project", "token", "jwt_token", "host")}
        run = self.app.launch(contexts=list(dict.fromkeys([*self.contexts, *self.app.contexts])), **given)
        self._stop_watch()
        report_s, looks = self.app.timing.blocking_report_s, run.tree.system.dispatcher
        self._watch = LoopWatch(loop, threading.current_thread(), looks, report_s=report_s, advice=_ADVICE)
        return run

    def _let_handlers_end(self) -> None:
        if not self.loops.join(self.app.timing.wrap_up_s):
            _log.warning("handlers are still running, and are cancelled")

    def _stop_watch(self) -> None:
        if self._watch is not None:
            self._watch.stop()

    async def execute(self, method: str, params: Mapping[str, object]) -> JsonObject:
        """Send any request, and return the server's whole result object; while offline it is queued.

        Cancelled before it has left, it is not sent.

        Raises:
            RelayError: the server refused it, its answer was lost, or the client is not connected.
        """
        app = self._connected
        asked = app.execute(method, params)
        try:
            return await asked
        except asyncio.CancelledError:
            app.take_back(asked)
            raise

    async def dial(
        self,
        devices: Devices,
        *,
        tag: str | None = None,
        max_duration: int | None = None,
        dial_timeout: float | None = None,
    ) -> Call:
        """Call out, and return the call that was answered. Cancelled, it hangs up what rings.

        Arguments are as for `RelayApp.dial`; without ``dial_timeout`` an answer is waited for 120 s.

        Raises:
            RelayError: nobody answered in time, the server refused, the connection was lost, or there is none.
            ValueError: an argument cannot be used, or the tag is in use.
        """
        while tag and self._connected.is_giving_up(tag):
            await pause(0.02)
        handle = self._connected.dial(
            ClientCall, devices, tag=tag or None, max_duration=max_duration, dial_timeout=dial_timeout
        )
        try:
            await handle.wait_for_answered()
        except asyncio.CancelledError:
            if not handle.leg.is_let_go:  # otherwise the client was disconnected, and nothing is sent
                handle.hangup()
            raise
        return Call.of(self, handle.ref)

    async def send_message(
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
    ) -> Message:
        """Send a text, and return it when the server has taken it: ``await message.wait(timeout=60)``.

        Arguments are as for `RelayApp.send_message`; ``on_completed`` is called on the loop. Cancelled before it has
        left, it is not sent.

        Raises:
            ValueError: neither body nor media, or an argument cannot be used; nothing is sent.
            RelayError: the server refused it, nobody knows whether it was sent, or the client is not connected.
        """
        app = self._connected
        handle = app.send_message(
            to_number=to_number,
            from_number=from_number,
            context=context or app.relay_protocol or None,
            body=body,
            media=media,
            tags=tags,
            region=region,
            on_completed=self.loops.on_loop(on_completed) if on_completed is not None else None,
        )
        try:
            return Message.of(await handle.sent, handle, self.loops)
        except asyncio.CancelledError:
            handle.ref.take_back()
            raise

    async def receive(self, contexts: Sequence[str]) -> None:
        """Take calls and texts of more contexts, also on later connections.

        Raises:
            RelayError: the server refused it (402: not in your plan), or the client is not connected.
        """
        await self._connected.receive(contexts)
        self.contexts = list(dict.fromkeys([*self.contexts, *contexts]))

    async def unreceive(self, contexts: Sequence[str]) -> None:
        """Take no more calls and texts of these contexts; running calls go on.

        Raises:
            RelayError: the server refused it, or the client is not connected.
        """
        await self._connected.unreceive(contexts)
        self.contexts = [context for context in self.contexts if context not in contexts]

    @property
    def _connected(self) -> RelayApp:
        if not self.app.is_running:
            raise NotSentError("the client is not connected: await client.connect(), or use it in `async with client:`")
        return self.app
