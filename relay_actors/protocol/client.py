"""The client's half of RELAY as a state machine: text and time go in, text and happenings come out.

::

            start              opened               the server accepts
    IDLE ----------> OPENING ----------> LOGGING_IN ------------------> READY
      ^              ^     | open_failed    | refused, silent,            | lost, dead        | signalwire.disconnect
      |       due:   |     |                | lost                        |                   v
      | shut_down,   |     v                v                             v    lost        LEAVING
      | refused      +--- WAITING <---------+-----------------------------+<------------------+
      | for good

No socket, clock or randomness is in here: one thread at a time feeds it, and asks after each feeding for the texts to
send and the next deadline. Layer: ``protocol``, pure. Source: PROTOCOL 2 to 7.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import assert_never

from relay_actors.config import Credentials, Limits, Timing
from relay_actors.errors import (
    CommandRejectedError,
    ConnectionLostError,
    NotSentError,
    ProtocolError,
)
from relay_actors.late_dataclasses import unfrozen
from relay_actors.protocol import frames
from relay_actors.protocol.backoff import Retries
from relay_actors.protocol.event_ledger import EventLedger
from relay_actors.protocol.happenings import (
    AnsweredLate,
    CloseSocket,
    ConnectionDown,
    EventArrived,
    Happening,
    Ignored,
    LoggedIn,
    LogInRefused,
    OpenSocket,
    RequestCancelled,
    RequestFailed,
    RequestSucceeded,
)
from relay_actors.protocol.json_codec import raw_loads
from relay_actors.protocol.keep_alive import KeepAlive
from relay_actors.protocol.pending import Pending, PendingRequests, Standing
from relay_actors.protocol.scrub import excerpt, scrub
from relay_actors.protocol.session import DEFAULT_AGENT, Session
from relay_actors.protocol.subscriptions import Subscriptions, context_names

__all__ = ["ClientProtocol"]

_AUTHORIZATION_STATE = "signalwire.authorization.state"
_NO_NEWS = frozenset({"", _AUTHORIZATION_STATE})
_SERVER_FAULTS = frozenset({-32603, -32000})
"""Refusals that say nothing of the session or the credentials: an internal error, a time-out. Source: PROTOCOL 2.5."""
_REFUSED_RESUMES = 5
"""After so many of them in a row, half a minute with the default delays, the session is given up none the less."""


class _Phase(enum.Enum):
    IDLE = "not started, shut down, or refused for good"
    OPENING = "a socket is being opened"
    LOGGING_IN = "signalwire.connect is out; everything else queues"
    READY = "authenticated"
    LEAVING = "the server has announced that it will close"
    WAITING = "until the next attempt"


_READY, _AWAITED = _Phase.READY, Standing.AWAITED  # looked up once: a member of an enum costs as much as two calls
_SOCKET_IS_OPEN = frozenset({_Phase.LOGGING_IN, _Phase.READY, _Phase.LEAVING})
_CHANGES = frozenset({frames.RECEIVE, frames.UNRECEIVE})
"""Requests whose end matters for what is listened to."""
_event_arrived, _request_succeeded = unfrozen(EventArrived), unfrozen(RequestSucceeded)


class ClientProtocol:
    """One client's conversation with RELAY, over as many connections as it takes.

    Every method that takes ``now`` expects the same monotonic clock, in seconds. Drive it so: give texts to `receive`
    before calling `tick`, so that a slow moment of this process is not mistaken for a silent server; do the happenings
    in order; then write `texts_to_send`; then wait for text or for `next_deadline`.

    Not thread-safe: one thread at a time.

    Args:
        credentials: who logs in.
        contexts: what to listen to from the first log in on.
        timing: all times.
        limits: all bounds.
        new_id: makes a fresh request id at each call.
        jitter: draws from [0, 1) how much of ``limits.reconnect_jitter`` a delay is lessened by; 0 gives exact delays.
        agent: how this client names itself to the server.

    Raises:
        ConfigError: ``contexts`` are not a list of names.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        contexts: Sequence[str] = (),
        timing: Timing = Timing(),  # noqa: B008 - immutable
        limits: Limits = Limits(),  # noqa: B008 - immutable
        new_id: Callable[[], str],
        jitter: Callable[[], float] = lambda: 0.0,
        agent: str = DEFAULT_AGENT,
    ) -> None:
        self._credentials = credentials
        self._timing = timing
        self._limits = limits
        self._new_id = new_id
        self._agent = agent
        self._session = Session()
        self._subscriptions = Subscriptions(contexts)
        self._requests = PendingRequests(timeout_s=timing.request_timeout_s, queue_limit=limits.queued_requests)
        self._events = EventLedger(limits.remembered_event_ids)
        self._keep_alive = KeepAlive(timing, limits)
        self._phase = _Phase.IDLE
        self._reads = False  # whether the phase is one of those in which a socket is open
        self._is_shut_down = False
        self._phase_deadline: float | None = None
        """When waiting ends: for the next attempt, for the answer to the log in, for the server's announced close."""
        self._login_id = ""
        self._logged_in_at: float | None = None
        self._has_been_ready = False
        self._retries = Retries(timing, limits, jitter)
        self._refusals = 0
        self._refused_resumes = 0
        self._texts: list[bytes] = []
        self._handed_over_next: list[str] = []
        """Ids of the requests among ``_texts``: until those are fetched, they have not left this process."""

    @property
    def is_ready(self) -> bool:
        """Whether requests go out at once: logged in, and the server has not announced that it will disconnect."""
        return self._phase is _Phase.READY

    @property
    def relay_protocol(self) -> str:
        """The name of the session, "" before the first log in and after the server has ended it."""
        return self._session.relay_protocol

    @property
    def identity(self) -> str:
        """What the server calls this client; for diagnosis, and to be scrubbed in logs."""
        return self._session.identity

    @property
    def authorization_state(self) -> str:
        """The newest state that the server gave; a secret."""
        return self._session.authorization_state

    @property
    def secrets(self) -> tuple[str, ...]:
        """What `scrub` has to hide by value at this moment."""
        return (*self._credentials.secrets, self._session.authorization_state)

    @property
    def contexts(self) -> tuple[str, ...]:
        """The effective set of contexts, which the next log in will ask for."""
        return self._subscriptions.effective

    @property
    def queued(self) -> int:
        """How many requests wait for a connection."""
        return self._requests.queued

    @property
    def pending(self) -> int:
        """How many requests were sent and still wait for their answer."""
        return self._requests.outstanding

    # The life of the connection

    def resume_session(self, relay_protocol: str, authorization_state: str = "") -> None:
        """Have the first log in resume a session that a former process kept; "" for a new one.

        If the server refuses that, a new session follows; the refusal does not count towards giving up.

        Raises:
            ProtocolError: it has been started already.
        """
        if self._phase is not _Phase.IDLE:
            raise ProtocolError(f"resume_session: already started ({self._phase.value})")
        self._session.relay_protocol, self._session.authorization_state = relay_protocol, authorization_state

    def remember_events(self, frame_ids: Iterable[object]) -> None:
        """Know of events that a former process has made durable: sent again, they are acknowledged and not given."""
        self._events.remember(frame_ids)

    def expect_more(self, requests: int) -> None:
        """Let so many more requests wait for the next log in: those of calls that a former process has left."""
        self._requests.expect_more(requests)

    def start(self, now: float) -> list[Happening]:
        """Begin to connect, at once; also again after `shut_down` or a final refusal.

        Raises:
            ProtocolError: it has been started already.
        """
        if self._phase is not _Phase.IDLE:
            raise ProtocolError(f"start: already started ({self._phase.value})")
        self._is_shut_down = False
        self._refusals = self._refused_resumes = 0
        self._retries.begin_anew()
        self._enter(_Phase.OPENING, None)
        return [OpenSocket()]

    def opened(self, now: float) -> list[Happening]:
        """The socket is open: log in. Late news, after `shut_down`, closes it again.

        Raises:
            ProtocolError: no socket was asked for.
        """
        if self._phase is _Phase.IDLE and self._is_shut_down:
            return [CloseSocket("shut down while the socket was opening", normal=True)]
        if self._phase is not _Phase.OPENING:
            raise ProtocolError(f"opened: no socket was asked for ({self._phase.value})")
        self._enter(_Phase.LOGGING_IN, now + self._timing.request_timeout_s)
        self._login_id = self._new_id()
        params = self._session.connect_params(self._credentials, self._subscriptions.effective, self._agent)
        self._texts.append(frames.request(self._login_id, frames.CONNECT, params))
        return []

    def open_failed(self, now: float, why: str) -> list[Happening]:
        """The socket could not be opened: try again later, for ever. Ignored when none was being opened.

        Source: PROTOCOL 6.6.
        """
        return self._back_off(now, scrub(why, self.secrets)) if self._phase is _Phase.OPENING else []

    def closed(self, now: float, why: str) -> list[Happening]:
        """The socket is gone. Ignored when the protocol has let go of it already.

        Requests that were sent fail, their outcome unknown; those that never left this process stay queued.

        Source: PROTOCOL 6.3.
        """
        return self._lose(now, scrub(why, self.secrets)) if self._reads else []

    def shut_down(self, now: float) -> list[Happening]:
        """The user ends it: whoever waits is told so, and nothing is tried again until `start`. Idempotent.

        Nothing is said to the server, and its calls go on. Texts that were not fetched are dropped, and their requests
        cancelled: fetch and write them first if they are to go out. Source: PROTOCOL 6.2.
        """
        if self._is_shut_down:
            return []
        self._is_shut_down = True
        self._enter(_Phase.IDLE, None)
        self._let_go_of_socket()
        cancelled = [RequestCancelled(request.id) for request in self._requests.clear()]
        for gone in cancelled:
            self._subscriptions.settle(gone.request_id, refused=False)
        return [*cancelled, CloseSocket("shut down by the user", normal=True)]

    def tick(self, now: float) -> list[Happening]:
        """Do whatever is due; harmless at any time."""
        happenings: list[Happening] = []
        for request in self._requests.expired(now):
            self._subscriptions.settle(request.id, refused=False)
            happenings.append(RequestFailed(request.id, self._requests.time_out(request)))
        deadline_is_over = self._phase_deadline is not None and self._phase_deadline <= now
        if self._phase is _Phase.WAITING and deadline_is_over:
            self._enter(_Phase.OPENING, None)
            happenings.append(OpenSocket())
        elif self._reads:
            dead = self._why_dead(now, deadline_is_over=deadline_is_over)
            if dead:
                happenings += self._force_close(now, dead)
            elif (ping_at := self._ping_at()) is not None and ping_at <= now:
                self._ping(now)
        return happenings

    def next_deadline(self) -> float | None:
        """Return when `tick` will next have something to do, if nothing else happens."""
        due, pings = self._phase_deadline, self._keep_alive
        for other in (self._ping_at(), pings.answer_due_at, pings.watchdog_at, self._requests.next_deadline()):
            if other is not None and (due is None or other < due):
                due = other
        return due

    def texts_to_send(self) -> list[bytes]:
        """Return the texts to write to the open socket, in order; from now on they count as sent."""
        texts, self._texts = self._texts, []
        self._handed_over_next.clear()
        return texts

    # Requests

    def request(self, method: str, params: Mapping[str, object], now: float, request_id: str | None = None) -> str:
        """Send a request, or queue it until the next log in; return its id, which is a new one unless it is given.

        Exactly one of `RequestSucceeded`, `RequestFailed` and `RequestCancelled` follows, unless it is forgotten. After
        a `RequestTimeoutError` an `AnsweredLate` may come.

        Raises:
            NotSentError: the queue is full, or the connection was shut down or refused for good.
            ValueError: ``params`` have no JSON form.

        Source: PROTOCOL 2.6, 6.4.
        """
        request_id = request_id or self._new_id()
        request = Pending(request_id, method, frames.request(request_id, method, params), now)
        if self._phase is _READY:
            self._requests.sent(request, now)
            self._texts.append(request.text)
            self._handed_over_next.append(request_id)
        elif self._is_shut_down:
            raise NotSentError(
                f"{method} was not sent: the connection was shut down or refused for good. Start it again."
            )
        else:
            self._requests.enqueue(request)
        return request_id

    def forget(self, request_id: str) -> None:
        """Nobody waits for this request any more: nothing will be told of it, and if it is queued it is not sent."""
        if self._requests.forget(request_id):
            self._subscriptions.settle(request_id, refused=True)

    def recall(self, request_id: str) -> bool:
        """Take a request back that still waits in the queue, and forget it; False if it does not."""
        return self._requests.is_queued(request_id) and self._requests.forget(request_id)

    def subscribe(self, contexts: Sequence[str], now: float) -> str | None:
        """Ask for calls and messages of ``contexts`` as well; return the request's id, None if there are none.

        They stay in the effective set, on every later connection, unless the server refuses them.

        Raises:
            ConfigError: ``contexts`` are not a list of names.
            NotSentError: as for `request`; the effective set is as before.

        Source: PROTOCOL 4.
        """
        return self._change_contexts(frames.RECEIVE, contexts, now)

    def unsubscribe(self, contexts: Sequence[str], now: float) -> str | None:
        """Ask for no more calls and messages of ``contexts``; otherwise as `subscribe`. Running calls go on."""
        return self._change_contexts(frames.UNRECEIVE, contexts, now)

    def _change_contexts(self, method: str, contexts: Sequence[str], now: float) -> str | None:
        names = context_names(contexts)
        if not names:
            return None
        request_id = self.request(method, {"contexts": list(names)}, now)
        self._subscriptions.change(request_id, names, adds=method == frames.RECEIVE)
        return request_id

    # What comes in

    def acknowledge(self, *frame_ids: object) -> None:
        """Tell the server that the events with these frame ids are safe here.

        Once per event: more often, or on a later connection than it came on, this does nothing. Source: PROTOCOL 7.2.
        """
        self._texts += frames.acknowledgements(self._events.settle(frame_ids))

    def receive(self, texts: Iterable[bytes | str], now: float) -> list[Happening]:
        """Take whole texts from the socket; without an open one they are dropped. Never raises, whatever they hold."""
        happenings: list[Happening] = []
        for text in texts:
            if not self._reads:
                break
            try:
                body = raw_loads(text)
            except ValueError as exc:
                happenings += self._received(frames.Unreadable(f"not JSON: {exc}"), text, now)
                continue
            # The two shapes of which a busy connection is made are told at a glance; all else is judged with care.
            if type(body) is dict and "error" not in body and type(frame_id := body.get("id")) is str:
                if "result" in body:
                    if type(result := body["result"]) is dict:
                        happenings += self._responded(frame_id, result, now)
                        continue
                elif type(params := body.get("params")) is dict and body.get("method") == frames.EVENT:
                    happenings += self._event(frame_id, params)
                    continue
            happenings += self._received(frames.judge(body), text, now)
        return happenings

    def _received(self, frame: frames.Frame, text: bytes | str, now: float) -> list[Happening]:
        match frame:
            case frames.Request() as request:
                return self._requested(request, now)
            case frames.ResultResponse() | frames.ErrorResponse() as response:
                return self._responded(response.id, response, now)
            case frames.Unreadable() as odd:
                if odd.method == frames.EVENT:
                    self._answer(odd.id)  # also events that are dropped are acknowledged
                return [Ignored(f"{odd.why}: {excerpt(text, self.secrets)}")]
            case never:
                assert_never(never)

    def _requested(self, request: frames.Request, now: float) -> list[Happening]:
        match request.method:
            case frames.EVENT:
                return self._event(request.id, request.params)
            case frames.PING:
                self._keep_alive.server_pinged(now)
                self._answer(request.id)
                return []
            case frames.DISCONNECT:
                self._answer(request.id)
                self._server_leaves(now, restarts=request.params.get("restart") in (True, "true"))
                return []
            case unknown:
                return [Ignored(f"the server asked for an unknown method: {excerpt(unknown, self.secrets)}")]

    def _event(self, frame_id: object, payload: dict[str, object]) -> list[Happening]:
        event_type, inner = payload.get("event_type"), payload.get("params")
        if type(event_type) is str and event_type not in _NO_NEWS and (inner is None or type(inner) is dict):
            is_new, acknowledgements = self._events.arrived(frame_id, event_type, inner)
            if acknowledgements:
                self._answer(frame_id)
            if not is_new:
                return []
            arrived = _event_arrived()
            arrived.frame_id, arrived.payload = frame_id, payload
            arrived.__class__ = EventArrived
            return [arrived]
        self._answer(frame_id)
        if event_type == _AUTHORIZATION_STATE:
            self._session.authorize(inner)
            return []
        if type(event_type) is not str or not event_type:
            return [Ignored("an event without a type")]
        return [Ignored(f"an event whose params are no object: {excerpt(event_type, self.secrets)}")]

    def _responded(self, request_id: object, response: frames.Response, now: float) -> list[Happening]:
        if not isinstance(request_id, str):
            return [Ignored("a response to an id that was never given")]
        found = self._requests.answered(request_id)
        if found is None:
            if request_id and request_id == self._login_id:
                return self._login_answered(frames.outcome_of(frames.CONNECT, response), now)
            if request_id and request_id == self._keep_alive.ping_id:
                return self._pinged(frames.outcome_of(frames.PING, response), now)
            return []
        request, standing = found
        outcome = frames.outcome_of(request.method, response)
        if standing is _AWAITED and type(outcome) is dict and request.method not in _CHANGES:
            succeeded = _request_succeeded()
            succeeded.request_id, succeeded.result = request_id, outcome
            succeeded.__class__ = RequestSucceeded
            return [succeeded]
        error = self._scrubbed(outcome) if isinstance(outcome, CommandRejectedError) else None
        result = None if isinstance(outcome, CommandRejectedError) else outcome
        self._subscriptions.settle(request_id, refused=error is not None)
        if standing is Standing.FORGOTTEN:
            return []
        if standing is Standing.LATE:
            return [AnsweredLate(request_id, result, error)]
        if error is not None:
            return [RequestFailed(request_id, error)]
        return [RequestSucceeded(request_id, result or {})]

    def _login_answered(self, outcome: dict[str, object] | CommandRejectedError, now: float) -> list[Happening]:
        self._login_id = ""
        if isinstance(outcome, CommandRejectedError):
            return self._login_refused(self._scrubbed(outcome), now)
        resumed = self._session.accepted(outcome)
        if not resumed:
            self._events.new_session()
        self._has_been_ready = True
        self._logged_in_at = now
        self._refusals = self._refused_resumes = 0
        self._retries.begin_anew()
        self._enter(_Phase.READY, None)
        self._keep_alive.logged_in(now)
        for request in self._requests.take_queue(now):
            self._texts.append(request.text)
            self._handed_over_next.append(request.id)
        return [LoggedIn(resumed, self._session.relay_protocol)]

    def _login_refused(self, error: CommandRejectedError, now: float) -> list[Happening]:
        why = f"log in refused with {error.code} ({error.message})"
        goodbye = CloseSocket(why, normal=True)
        # A refused resume would be refused for ever: the next attempt begins a new session (PROTOCOL 3.5). It may have
        # been the session that was refused, so it says nothing yet about the credentials. But a server that is not
        # well refuses whatever it is asked: to begin anew at once would cost every call that is up.
        if not self._session.relay_protocol:
            self._refusals += 1
        self._refused_resumes += 1
        if error.code not in _SERVER_FAULTS or self._refused_resumes >= _REFUSED_RESUMES:
            self._session.forget()
        if self._has_been_ready or self._refusals < self._limits.log_in_refusals:
            return [LogInRefused(error, final=False), goodbye, *self._lose(now, why)]
        self._is_shut_down = True
        self._enter(_Phase.IDLE, None)
        self._let_go_of_socket()
        never_sent: list[Happening] = [
            RequestFailed(request.id, NotSentError(f"{request.method} was not sent: {why}"))
            for request in self._requests.clear()
        ]
        return [LogInRefused(error, final=True), goodbye, *never_sent, ConnectionDown(why, None)]

    def _server_leaves(self, now: float, *, restarts: bool) -> None:
        """Queue from here on, and wait for the server to close. Source: PROTOCOL 6.1."""
        if restarts:
            self._session.forget()
        if self._phase is not _Phase.LEAVING:
            # It promised to close; a client that believed it for ever would be deaf for ever.
            self._enter(_Phase.LEAVING, now + self._timing.client_ping_interval_s)
            self._login_id = ""
            self._keep_alive.stop_pinging()

    # Keeping alive, and giving up

    def _ping_at(self) -> float | None:
        """Return when the next ping is due: in its turn, or earlier, to see whether who owes an answer is there."""
        ping_at, probe_at = self._keep_alive.ping_at, self._requests.probe_at()
        return ping_at if ping_at is None or probe_at is None or ping_at <= probe_at else probe_at

    def _ping(self, now: float) -> None:
        ping_id = self._new_id()
        self._requests.probed()
        self._keep_alive.ping_sent(ping_id, now)
        self._texts.append(frames.request(ping_id, frames.PING, {}))

    def _pinged(self, outcome: dict[str, object] | CommandRejectedError, now: float) -> list[Happening]:
        if not isinstance(outcome, CommandRejectedError):
            self._keep_alive.ping_answered(now)
            return []
        if self._keep_alive.ping_failed(now):
            return self._force_close(now, f"{self._limits.ping_failures} pings in a row were refused")
        return []

    def _why_dead(self, now: float, *, deadline_is_over: bool) -> str:
        """Return why the open socket counts as dead, or ""."""
        if deadline_is_over and self._phase is _Phase.LOGGING_IN:
            return f"no answer to the log in within {self._timing.request_timeout_s:g} s"
        if deadline_is_over and self._phase is _Phase.LEAVING:
            return f"the server announced to disconnect {self._timing.client_ping_interval_s:g} s ago, and did not"
        return self._keep_alive.why_dead(now)

    def _force_close(self, now: float, why: str) -> list[Happening]:
        """Take the socket for dead: do not wait for the peer. Source: PROTOCOL 5.4."""
        return [CloseSocket(why, normal=False), *self._lose(now, why)]

    def _lose(self, now: float, why: str) -> list[Happening]:
        logged_in_at = self._logged_in_at
        self._requests.put_back(self._handed_over_next)
        self._let_go_of_socket()
        lost = self._requests.lose()
        for request in lost:
            self._subscriptions.settle(request.id, refused=False)
        failed = [RequestFailed(request.id, ConnectionLostError()) for request in lost]
        return [*failed, *self._back_off(now, why, logged_in_at)]

    def _let_go_of_socket(self) -> None:
        self._texts.clear()
        self._handed_over_next.clear()
        self._login_id = ""
        self._logged_in_at = None
        self._keep_alive.reset()
        self._events.connection_lost()

    def _back_off(self, now: float, why: str, logged_in_at: float | None = None) -> list[Happening]:
        if logged_in_at is not None and now - logged_in_at >= self._timing.reconnect_min_s:
            # It was well, and is lost: most often there is another one to be had. Not so if it was lost as soon as it
            # was there: who is let in and thrown out again shall not try in a circle.
            self._enter(_Phase.OPENING, None)
            return [ConnectionDown(why, now, was_logged_in=True), OpenSocket()]
        retry_at = now + self._retries.next_delay_s()
        self._enter(_Phase.WAITING, retry_at)
        return [ConnectionDown(why, retry_at, logged_in_at is not None)]

    def _enter(self, phase: _Phase, deadline: float | None) -> None:
        self._phase, self._phase_deadline = phase, deadline
        self._reads = phase in _SOCKET_IS_OPEN

    def _answer(self, frame_id: object) -> None:
        if frame_id is not None:
            self._texts.append(frames.result(frame_id, {}))

    def _scrubbed(self, error: CommandRejectedError) -> CommandRejectedError:
        return CommandRejectedError(error.method, error.code, scrub(error.message, self.secrets))
