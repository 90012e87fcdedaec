"""Where clients come in: connections, log-ins, and the answers to what they ask. Layer: simulator.

Source: PROTOCOL 2, 3, 5, 6.1, 19.1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.protocol import frames, schema
from relay_actors.protocol.readers import read_flag, read_text, read_texts, read_whole_number
from relay_actors.protocol.server import (
    AUTH_REQUIRED,
    Acknowledged,
    CommandArrived,
    LogInAsked,
    NonsenseArrived,
    PingArrived,
    ServerProtocol,
)
from relay_actors.simulator.acks import AckBook, Acks, WrongAck
from relay_actors.simulator.calls import Params
from relay_actors.simulator.commands import Commands
from relay_actors.simulator.credentials import Credentials
from relay_actors.simulator.crossings import Crossings
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.faults import Faults, Rejection
from relay_actors.simulator.links import Link
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.post import Post
from relay_actors.simulator.replies import (
    CALL_GONE,
    Failure,
    Reply,
    Result,
    accepted,
    invalid_params,
    not_simulated,
    refused,
)
from relay_actors.simulator.sessions import Connection, Session, Sessions
from relay_actors.simulator.switchboard import Switchboard
from relay_actors.simulator.timers import Timer
from relay_actors.simulator.wire_log import WireLog
from relay_actors.simulator.world import World

__all__ = ["Reception", "Violation"]

VIOLATIONS_BOUND: Final = 1000
"""How many violations of the schema are remembered."""

UNAUTHORIZED: Final = -32002
UNAUTHORIZED_TEXT: Final = "Authentication service failed with status ProtocolError, 401 Unauthorized: {}"


@dataclass(frozen=True, slots=True)
class Violation:
    """A command that breaks the schema of the wire.

    Attributes:
        problems: one text for each thing that is wrong.
    """

    method: str
    params: Params
    problems: tuple[str, ...]


class Reception:
    """Knows every open connection and speaks with it. The simulator's lock guards it."""

    def __init__(
        self,
        *,
        world: World,
        post: Post,
        faults: Faults,
        manners: Manners,
        credentials: Credentials,
        sessions: Sessions,
        exchange: Exchange,
        switchboard: Switchboard,
        commands: Commands,
        log: WireLog,
    ) -> None:
        self._world = world
        self._post = post
        self._faults = faults
        self._manners = manners
        self._credentials = credentials
        self._sessions = sessions
        self._exchange = exchange
        self._switchboard = switchboard
        self._commands = commands
        self.crossings = Crossings(world=world, faults=faults, log=log, take=self._take, cut=self._cut)
        self._connections: dict[Link, Connection] = {}
        self._to_flush: list[Connection] = []
        self._late: list[Timer] = []
        self.acks = AckBook()
        self.violations: deque[Violation] = deque(maxlen=VIOLATIONS_BOUND)

    @property
    def connections(self) -> list[Connection]:
        """Every open connection, oldest first."""
        return list(self._connections.values())

    def attach(self, link: Link) -> None:
        """Take a new connection.

        Raises:
            ConnectionRefusedError: sockets are down.
        """
        if self._faults.refuses_sockets:
            raise ConnectionRefusedError("the simulator takes no connections now (socket_down)")
        connection = Connection(
            link,
            ServerProtocol(new_id=self._world.new_id),
            self._flush_later,
            acks=Acks(self.acks),
            now=self._world.now,
        )
        self._connections[link] = connection
        self.crossings.welcome(connection)

    def detach(self, link: Link) -> None:
        """Learn that a connection is gone; its session waits for the next one. Idempotent.

        Where nothing crosses (a half-open connection), that is not known before it does.
        """
        connection = self._connections.get(link)
        if connection is not None:
            self.crossings.arrive(connection, None)

    def drop(self, connection: Connection, *, clean: bool) -> None:
        """Close a connection from this side, after what is still to be written."""
        self._flush()
        self._cut(connection, clean)

    def receive(self, link: Link, text: bytes | str) -> None:
        """Take one text."""
        connection = self._connections.get(link)
        if connection is not None:
            self.crossings.arrive(connection, text.encode() if isinstance(text, str) else bytes(text))

    def ping_all(self) -> None:
        """Ping every client that is logged in."""
        for connection in self.connections:
            if connection.protocol.is_logged_in:
                connection.ping(self._world.clock.wall())

    def hurry(self) -> None:
        """Give every answer that is late on purpose now, and let cross what waits on the connections."""
        late, self._late = sorted(self._late), []
        for timer in late:
            say = timer.call
            timer.cancel()
            if say is not None:
                say()
        self.crossings.hurry(self.connections)

    def clear(self) -> None:
        """Forget what was wrong, what crosses and what was counted."""
        self._late.clear()
        self.violations.clear()
        self.acks.clear()
        self.crossings.clear()

    @property
    def wrong_acks(self) -> tuple[WrongAck, ...]:
        """Every acknowledgement that was wrong, and those that are missing now."""
        missing = (wrong for connection in self.connections for wrong in self._overdue(connection))
        return (*self.acks.wrong, *missing)

    def session_named(self, name: str) -> Session:
        """Return a session by its protocol string.

        Raises:
            ConfigError: nobody knows it.
        """
        session = self._sessions.find(name)
        if session is None:
            raise ConfigError(f"there is no session {name!r}; Simulator.sessions lists them")
        return session

    # Connections.

    def _cut(self, connection: Connection, clean: bool) -> None:
        connection.link.close(clean=clean)
        self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        if self._connections.pop(connection.link, None) is None:
            return
        connection.is_open = False
        self.acks.wrong.extend(self._overdue(connection))
        session = connection.session
        if session is not None and session.connection is connection:
            session.detach()

    def _overdue(self, connection: Connection) -> list[WrongAck]:
        if self.crossings.is_disturbed(connection):
            return []
        return connection.acks.overdue(self._world.now(), undisturbed_since=connection.undisturbed_since)

    def _take(self, connection: Connection, text: bytes | None) -> None:
        if text is None:
            self._forget(connection)
            return
        for happening in connection.protocol.receive_text(text):
            match happening:
                case LogInAsked(id, params):
                    connection.asks(id, frames.CONNECT)
                    self._log_in(connection, id, params)
                case PingArrived(id):
                    connection.asks(id, frames.PING)
                    self._ping(connection, id)
                case CommandArrived(id, method, params):
                    connection.asks(id, method)
                    self._command(connection, id, method, params)
                case Acknowledged(id) | NonsenseArrived(_, True, id):
                    connection.acks.came(id)
        connection.flush()

    def _ping(self, connection: Connection, id: object) -> None:
        if self._faults.take_silence(frames.PING) is not None or self._refuse_expired(connection, id):
            return
        rejection = self._faults.take_rejection(frames.PING)
        pong = Result({"timestamp": self._world.clock.wall()})
        self._answer(connection, id, frames.PING, pong if rejection is None else _rejected(rejection))

    # Logging in.

    def _log_in(self, connection: Connection, id: object, params: Params) -> None:
        silence = self._faults.take_silence(frames.CONNECT)
        if silence is not None:
            if silence == "done":
                self._log_in_unheard(params)
            return
        late_s = self._faults.take_lateness(frames.CONNECT)
        if late_s is None:
            self._answer_log_in(connection, id, params)
            return

        # Nothing else may be said before the answer, so all of it waits.
        def answer() -> None:
            if connection.is_open:
                self._answer_log_in(connection, id, params)
                connection.flush()

        self._say_late(late_s, answer)

    def _log_in_unheard(self, params: Params) -> None:
        """Open or resume a session whose client gets no answer: whatever it is told waits for its next socket."""
        session = self._admit(params)
        if isinstance(session, Session):
            session.log_ins += 1
            self._subscribe(session, params)

    def _answer_log_in(self, connection: Connection, id: object, params: Params) -> None:
        session = self._admit(params)
        if isinstance(session, Failure):
            connection.protocol.refuse_log_in(session.code, session.message, session.data)
            return
        is_resumed = session.log_ins > 0
        session.attach(connection)
        expects_acks = read_flag(params.get("event_acks")) or False
        connection.acks.is_promised = expects_acks
        welcome = self._welcome(session, is_resumed=is_resumed)
        connection.protocol.accept_log_in(welcome, expects_acks=expects_acks)
        if self._faults.take_double_answer(frames.CONNECT):
            connection.protocol.respond(id, welcome)
        if self._manners.sends_authorization_state:
            state = {"authorization_state": f"{self._world.new_id()}:{self._world.new_id()}"}
            self._post.send(session, "signalwire.authorization.state", state, is_bare=True)
        session.deliver_waiting()
        self._subscribe(session, params)

    def _admit(self, params: Params) -> Session | Failure:
        """Return the session of a log-in, a new one or the one that it resumes; or why it is refused."""
        rejection = self._faults.take_rejection(frames.CONNECT)
        if rejection is not None:
            # A log-in has no result code: only an error refuses it (PROTOCOL 2.3).
            return Failure(read_whole_number(rejection.code) or UNAUTHORIZED, rejection.message)
        project = self._credentials.project_of(params.get("authentication"))
        if project is None:
            return self._unauthorized()
        name = read_text(params.get("protocol"))
        known = self._sessions.find(name) if name else None
        if known is not None and known.is_expired:
            self._sessions.close(known)
            return self._unauthorized()
        if known is not None and self._faults.take_refused_resume():
            self._sessions.close(known)
            known = None
        if name and (known is None or known.project != project):
            return Failure(*_auth_required())
        session = known or self._sessions.open(project)
        if session.connection is not None:
            # The client came back before this side has noticed that its old socket is dead.
            self.drop(session.connection, clean=False)
        return session

    def _unauthorized(self) -> Failure:
        is_text = self._manners.refusal == "unauthorized"
        return Failure(UNAUTHORIZED, UNAUTHORIZED_TEXT) if is_text else Failure(*_auth_required())

    def _subscribe(self, session: Session, params: Params) -> None:
        session.subscribe(read_texts(params.get("contexts")) or [])
        self._switchboard.contexts_changed(session)

    def _welcome(self, session: Session, *, is_resumed: bool) -> dict[str, object]:
        return {
            "identity": session.identity,
            "protocol": session.name,
            "session_restored": is_resumed,
            "sessionid": session.session_id,
            "nodeid": self._exchange.node_id,
            "master_nodeid": "00000000-0000-0000-0000-000000000000@",
            "authorization": {
                "project": session.project,
                "expires_at": None,
                "scopes": ["calling", "messaging", "tasking"],
                "signature": session.name.split("_")[1],
            },
            "ice_servers": [],
        }

    # Commands.

    def _command(self, connection: Connection, id: object, method: str, params: Params) -> None:
        session = connection.session
        if session is None:
            return
        call = self._exchange.look_up(read_text(params.get("call_id")) or "")
        if call is not None:
            call.commands[method] += 1
        silence = self._faults.take_silence(method)
        if silence == "not done":
            return
        if silence == "done":
            id = None  # a request without an id gets no answer
        if self._refuse_expired(connection, id):
            return
        rejection = self._faults.take_rejection(method)
        if rejection is not None:
            self._answer(connection, id, method, _rejected(rejection))
            return
        with self._post.holding() as release:
            reply = self._carry_out(session, method, params)
            if self._manners.event_before_response:
                release()
            self._answer(connection, id, method, reply)

    def _refuse_expired(self, connection: Connection, id: object) -> bool:
        session = connection.session
        if session is None or not session.is_expired:
            return False
        connection.respond_error(id, *_auth_required())
        if session.closes_expired:
            self.drop(connection, clean=True)
        return True

    def _carry_out(self, session: Session, method: str, params: Params) -> Reply:
        if not self._commands.is_known(method):
            return accepted("OK") if self._manners.accepts_unknown_methods else not_simulated(method)
        problems = schema.violations(method, params)
        if problems:
            self.violations.append(Violation(method, dict(params), tuple(problems)))
        if self._commands.is_for_a_call(method) and self._commands.target(session, params) is None:
            return CALL_GONE
        if problems:
            is_error = self._manners.violation_answer == "error"
            return (
                invalid_params(problems) if is_error else refused("400", f"Invalid parameters: {'; '.join(problems)}")
            )
        return self._commands.run(session, method, params)

    def _answer(self, connection: Connection, id: object, method: str, reply: Reply) -> None:
        if id is None:
            return
        late_s = self._faults.take_lateness(method)
        times = 2 if self._faults.take_double_answer(method) else 1

        def say() -> None:
            for _ in range(times):
                if isinstance(reply, Failure):
                    connection.respond_error(id, reply.code, reply.message, reply.data)
                else:
                    connection.respond(id, reply.body)

        if late_s is None:
            say()
        else:
            self._say_late(late_s, say)

    def _say_late(self, seconds: float, say: Callable[[], None]) -> None:
        self._late = [timer for timer in self._late if timer.call is not None]
        self._late.append(self._world.after_real(seconds, say))

    # Writing.

    def _flush_later(self, connection: Connection) -> None:
        if not self._to_flush:
            self._world.at_turn_end(self._flush)
        if connection not in self._to_flush:
            self._to_flush.append(connection)

    def _flush(self) -> None:
        connections, self._to_flush = self._to_flush, []
        for connection in connections:
            texts = connection.protocol.texts_to_send()
            if texts and connection.is_open:
                self.crossings.depart(connection, texts)


def _auth_required() -> tuple[int, str, dict[str, object]]:
    return AUTH_REQUIRED, "Authentication required", {"signalwire_error_code": "AUTH_REQUIRED"}


def _rejected(rejection: Rejection) -> Reply:
    if isinstance(rejection.code, int):
        return Failure(rejection.code, rejection.message)
    return refused(rejection.code, rejection.message)
