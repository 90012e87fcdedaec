"""A RELAY server with people on the phone, with no socket, no thread and no clock of its own. Layer: simulator.

`SimulatorServer` puts it on a WebSocket, `LinkDriver` on one end of an in-process transport; then it behaves as
PROTOCOL 19 says. Tests talk to the people on it::

    sim = Simulator(clock=SystemClock(), random=Random(7))
    with SimulatorServer(sim) as server:
        ...                                            # an application logs in to server.url
        caller = sim.phone("+15550001111").dials(context="support")
        caller.hears("press 1").presses("1")
        caller.is_hung_up()

Everything that is due happens in `tick`: a front calls it at `next_deadline`, and so does whoever waits for a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager

from relay_actors.errors import ConfigError
from relay_actors.protocol import checks
from relay_actors.runtime.base import Clock
from relay_actors.runtime.clock import Random, uuid4_ids
from relay_actors.simulator.acks import WrongAck
from relay_actors.simulator.agents import AgentEnd, AgentScript, Turn
from relay_actors.simulator.calls import Call, CallSnapshot
from relay_actors.simulator.commands import Commands
from relay_actors.simulator.conference import ConferenceSnapshot
from relay_actors.simulator.conversations import ConversationSnapshot
from relay_actors.simulator.credentials import Credentials
from relay_actors.simulator.crowds import FIRST, Crowd, numbers_from
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.faults import Faults
from relay_actors.simulator.feeds import Feed
from relay_actors.simulator.files import File
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.links import Link
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.messaging import MessageEnd, Messaging
from relay_actors.simulator.mishaps import Mishaps
from relay_actors.simulator.moderators import Moderator
from relay_actors.simulator.names import known_method
from relay_actors.simulator.outlets import Outside
from relay_actors.simulator.phones import Phone, Phones
from relay_actors.simulator.post import Post
from relay_actors.simulator.queues import QueueSnapshot
from relay_actors.simulator.reception import Reception, Violation
from relay_actors.simulator.rooms import RoomSnapshot
from relay_actors.simulator.scripts import PaymentScript, UserEvent
from relay_actors.simulator.sessions import Sessions
from relay_actors.simulator.switchboard import Switchboard
from relay_actors.simulator.timers import Timer
from relay_actors.simulator.webhooks import Webhook
from relay_actors.simulator.wire_log import WireLog
from relay_actors.simulator.world import World

__all__ = ["Simulator"]


class Simulator(Mishaps):
    """A RELAY server. Every method may be called from any thread; one lock guards all that it knows (see `World`).

    Args:
        clock: where time comes from.
        random: seeded, for a run that can be repeated.
        new_id: makes ids; from ``random`` when None.
        pace: how long a simulated second is: 0.05 plays prompts, rings and pauses twenty times faster.
        project: the project that may log in; any if empty.
        token: its token; any if empty.
        jwt_token: the JWT that may log in; any if empty.
        manners: how it behaves where RELAY leaves it open; may be changed at any time.
        server_ping_s: ping every client so often, in seconds of the clock; None: never.

    Raises:
        ConfigError: ``pace`` or ``server_ping_s`` is not above 0.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        random: Random,
        new_id: Callable[[], str] | None = None,
        pace: float = 1.0,
        project: str = "",
        token: str = "",
        jwt_token: str = "",
        manners: Manners | None = None,
        server_ping_s: float | None = None,
    ) -> None:
        self.manners = manners if manners is not None else Manners()
        self.frames = WireLog()
        self._world = World(clock=clock, random=random, new_id=new_id or uuid4_ids(random), pace=pace)
        self._faults = Faults()
        self._post = Post(self._world, self._faults)
        self._sessions = Sessions(self._world.new_id)
        self._exchange = Exchange(self._world, self._post)
        self._switchboard = Switchboard(self._world, self._exchange, self._sessions, self.manners)
        self._phones = Phones(self._world, self._exchange, self._switchboard)
        self._messaging = Messaging(self._world, self._post, self._switchboard, reach=self._phones.take_text)
        self._phones.serve(self._messaging)
        self._commands = Commands(
            world=self._world,
            post=self._post,
            exchange=self._exchange,
            switchboard=self._switchboard,
            messaging=self._messaging,
            manners=self.manners,
        )
        self._reception = Reception(
            world=self._world,
            post=self._post,
            faults=self._faults,
            manners=self.manners,
            credentials=Credentials(project, token, jwt_token),
            sessions=self._sessions,
            exchange=self._exchange,
            switchboard=self._switchboard,
            commands=self._commands,
            log=self.frames,
        )
        self._ping_timer: Timer | None = None
        self._ping_s: float | None = None
        self.ping_every(server_ping_s)

    # For fronts.

    def attach(self, link: Link) -> None:
        """Take a new connection.

        Raises:
            ConnectionRefusedError: sockets are down (`socket_down`).
        """
        with self.turn():
            self._reception.attach(link)

    def receive(self, link: Link, text: bytes | str) -> None:
        """Take one text from a connection; texts of one that is not attached are ignored."""
        with self.turn():
            self._reception.receive(link, text)

    def detach(self, link: Link) -> None:
        """Learn that a connection is gone. Idempotent."""
        with self.turn():
            self._reception.detach(link)

    def turn(self) -> AbstractContextManager[None]:
        """Hold the simulator's lock; what is said meanwhile goes out at the end."""
        return self._world.turn()

    def tick(self, now: float) -> int:
        """Let everything happen that is due by ``now`` (monotonic seconds); return how many things did."""
        return self._world.tick(now)

    def next_deadline(self) -> float | None:
        """Return when `tick` is due next (monotonic seconds), or None."""
        return self._world.next_deadline()

    def add_waker(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called, from any thread and without the lock, when the next deadline has become earlier."""
        self._world.add_waker(wake)

    def remove_waker(self, wake: Callable[[], None]) -> None:
        """Take back `add_waker`."""
        self._world.remove_waker(wake)

    def show_outside(self, outside: Outside) -> None:
        """Let streams, taps and the URLs of files use this front's sockets from now on."""
        with self.turn():
            self._world.outside.append(outside)

    def hide_outside(self, outside: Outside) -> None:
        """Take back `show_outside`; an unknown one is ignored."""
        with self.turn():
            self._world.outside = [known for known in self._world.outside if known is not outside]

    def file_at(self, path: str) -> File | None:
        """Return the file of this path, or None."""
        with self._world.look():
            return self._world.files.find(path)

    @property
    def clock(self) -> Clock:
        """Where time comes from."""
        return self._world.clock

    @property
    def is_accepting(self) -> bool:
        """Whether `attach` would take a connection now."""
        with self._world.look():
            return not self._faults.refuses_sockets

    @property
    def drive(self) -> Callable[[], bool] | None:
        """What advances a deterministic world by one step, or None in real time.

        A step moves the clock to the next deadline of anybody, this simulator's `next_deadline` included, and calls
        `tick`; it returns False when nothing is left to happen. Phones that wait call it, without the lock.
        """
        return self._world.drive

    @drive.setter
    def drive(self, step: Callable[[], bool] | None) -> None:
        self._world.drive = step

    @property
    def patience_s(self) -> float:
        """How long every wait lasts that is not told otherwise, in seconds of the clock: 5.

        Waits cost nothing in a deterministic world, where time is virtual, and may be longer there.

        Raises:
            ConfigError: it is set to what is not above 0.
        """
        return self._world.patience_s

    @patience_s.setter
    def patience_s(self, seconds: float) -> None:
        if not seconds > 0:
            raise ConfigError(f"patience_s must be above 0, not {seconds}: it is how long a story waits")
        self._world.patience_s = seconds

    # People.

    def phone(self, number: str) -> Phone:
        """Return the phone of a number; it exists from the first time on that anybody names it."""
        return self._phones.phone(number)

    def many(self, count: int, first: str = FIRST) -> Crowd:
        """Return so many phones, who do all things together.

        Args:
            count: how many, 1 or more.
            first: the number of the first one; the others have the numbers after it.

        Raises:
            ConfigError: ``count`` or ``first`` is none.
        """
        return Crowd(self._world, [self.phone(number) for number in numbers_from(first, count)])

    @property
    def phones(self) -> tuple[Phone, ...]:
        """Every phone that anybody has named or dialled, in that order."""
        return self._phones.all()

    def conference(self, name: str) -> Moderator:
        """Return the power over the conference ``name``: to mute, hold or kick its members, and to end it."""
        return Moderator(self._world, self._commands.conferences, name)

    def assign_number(self, number: str, context: str) -> None:
        """Let calls and texts to ``number`` go to ``context``, as a dashboard does."""
        self._phones.assign(number, context)

    def wait_until(self, is_so: Callable[[], bool], within: float | None = None) -> bool:
        """Wait until ``is_so()``, which is called with the lock held; return whether it came to be in time."""
        return self._world.wait_until(is_so, within)

    def wait_for_clients(self, count: int = 1, within: float | None = None) -> None:
        """Wait until so many clients are logged in.

        Raises:
            StoryError: there are fewer when the time is over.
        """
        if not self.wait_until(lambda: len(self._attached()) >= count, within):
            patience_s = self._world.patience(within)
            raise StoryError(f"{len(self._attached())} of {count} clients were logged in within {patience_s:g} s")

    # Looking.

    @property
    def calls(self) -> tuple[CallSnapshot, ...]:
        """Every leg that is remembered, ended ones first."""
        with self._world.look():
            return tuple(call.snapshot() for call in self._exchange.all())

    def calls_up(self) -> tuple[CallSnapshot, ...]:
        """Return every leg that has not ended."""
        with self._world.look():
            return tuple(call.snapshot() for call in self._exchange.up())

    def calls_lost(self) -> tuple[CallSnapshot, ...]:
        """Return every leg that has not ended and has lost its session: no client can hang it up, only the person."""
        with self._world.look():
            known = [session for session in self._sessions.all() if not session.is_expired]
            return tuple(call.snapshot() for call in self._exchange.up() if call.session not in known)

    @property
    def conferences(self) -> tuple[ConferenceSnapshot, ...]:
        """Every conference that somebody is in, with its members in the order in which they joined."""
        with self._world.look():
            return self._commands.conferences.snapshots()

    @property
    def queues(self) -> tuple[QueueSnapshot, ...]:
        """Every queue that anybody has waited in or at, with the numbers of those who wait, the first one first."""
        with self._world.look():
            return self._commands.queues.snapshots()

    @property
    def rooms(self) -> tuple[RoomSnapshot, ...]:
        """Every room that somebody is in, with the numbers of those in it."""
        with self._world.look():
            return self._commands.rooms.snapshots()

    def observe_lines(self, observer: Callable[[Line, int], None]) -> None:
        """Have ``observer(line, place)`` called when ``line.timeline[place]`` is written, on every line there is.

        At once and with the lock held: it must be quick. What stands there may be amended in the same turn, so look at
        it later.
        """
        with self.turn():
            self._world.moment_observers.append(observer)

    def tell_in_stories(self, teller: Callable[[Iterable[str]], list[str]]) -> None:
        """Have what ``teller(call_ids)`` returns told at the end of a line's story: of its calls, by their ids."""
        with self.turn():
            self._world.story_tellers.append(teller)

    def observe_events(self, observer: Callable[[str, Mapping[str, object]], None]) -> None:
        """Have ``observer(event_type, params)`` called when an event comes to be, before anything befalls it.

        At once and with the lock held: it must be quick. A fault that it injects befalls this event.
        """
        with self.turn():
            self._post.observers.append(observer)

    def observe_waits(self, observer: Callable[[], None]) -> None:
        """Have ``observer`` called whenever a test begins to wait for a person or the server.

        At once and with the lock held: it must be quick.
        """
        with self.turn():
            self._world.wait_observers.append(observer)

    def count(self, call: Line | CallSnapshot | str, method: str) -> int:
        """Return how many commands of ``method`` named this call: a line (all its legs), a snapshot, or a call id."""
        known_method(method)
        with self._world.look():
            return sum(leg.commands[method] for leg in self._legs(call))

    def expect(
        self, call: Line | CallSnapshot | str, method: str, *, times: int = 1, within: float | None = None
    ) -> None:
        """Wait until ``times`` commands of ``method`` have named this call.

        Raises:
            StoryError: fewer came in time; shows what came in their place.
        """
        if not self.wait_until(lambda: self.count(call, method) >= times, within):
            with self._world.look():
                came = {name: count for leg in self._legs(call) for name, count in leg.commands.items()}
            raise StoryError(
                f"{self.count(call, method)} of {times} {method} came within {self._world.patience(within):g} s; "
                f"what came: {came or 'nothing'}"
            )

    @property
    def sessions(self) -> tuple[str, ...]:
        """The protocol strings of all sessions, oldest first."""
        with self._world.look():
            return tuple(session.name for session in self._sessions.all())

    @property
    def contexts(self) -> tuple[str, ...]:
        """What the clients that are connected take calls and texts of, the oldest client's contexts first."""
        with self._world.look():
            attached = [session for session in self._sessions.all() if session.is_attached]
            return tuple(dict.fromkeys(context for session in attached for context in session.contexts))

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every command that broke the schema of the wire; the last 1000."""
        with self._world.look():
            return tuple(self._reception.violations)

    @property
    def wrong_acks(self) -> tuple[WrongAck, ...]:
        """Every acknowledgement of a frame that was never sent, or that came twice or on another connection.

        And every event that got none within 10 seconds of the clock, over a connection on which nothing was held up;
        it is no longer told when its acknowledgement comes while that connection is up. The last 1000.
        """
        with self._world.look():
            return self._reception.wrong_acks

    @property
    def unacknowledged(self) -> tuple[str, ...]:
        """The frame ids of all events that were sent, or wait to be sent, and were not acknowledged."""
        with self._world.look():
            return tuple(frame_id for session in self._sessions.all() for frame_id in session.unacknowledged)

    @property
    def webhooks(self) -> tuple[Webhook, ...]:
        """What would have been told by HTTP to the URLs that commands name, the oldest first; the last 1000."""
        with self._world.look():
            return self._world.webhooks.all()

    @property
    def conversations(self) -> tuple[ConversationSnapshot, ...]:
        """What AI agents and people have said to each other, the oldest conversation first; the last 1000."""
        with self._world.look():
            return tuple(conversation.snapshot() for conversation in self._world.scripts.conversations)

    @property
    def user_events(self) -> tuple[UserEvent, ...]:
        """Every ``calling.user_event``, the oldest first; the last 1000."""
        with self._world.look():
            return tuple(self._world.scripts.user_events)

    # Audio and documents.

    @property
    def files(self) -> tuple[str, ...]:
        """The URLs of what can be fetched: recordings, transcripts, received faxes. The last 1000, oldest first."""
        with self._world.look():
            return tuple(map(self._world.files.url, self._world.files.paths()))

    def fetch(self, url: str) -> bytes:
        """Return what lies at a URL that an event has named: a recording, a transcript, a fax that was received.

        The last 1000 files are kept. While a `SimulatorServer` runs the same URLs can be fetched by HTTP.

        Raises:
            StoryError: there is nothing.
        """
        file = self.file_at(url)
        if file is None:
            with self._world.look():
                paths = ", ".join(self._world.files.paths()[-5:]) or "none at all"
            raise StoryError(f"there is no file at {url} (a recording lies there from its end on); the latest: {paths}")
        return file.make()

    @property
    def streams(self) -> tuple[Feed, ...]:
        """What ``calling.stream`` and ``calling.tap`` have sent, or would have: the last 100 of them, oldest first."""
        with self._world.look():
            return self._world.feeds.all()

    def has_document(self, url: str, *, pages: int) -> None:
        """Let the document at a URL have so many pages when it is sent by fax; others have one.

        Raises:
            ConfigError: no document has fewer pages than one.
        """
        if pages < 1:
            raise ConfigError(f"a document has at least one page, not {pages}: {url}")
        with self.turn():
            self._world.files.pages[url] = pages

    @property
    def failures(self) -> tuple[Exception, ...]:
        """What has failed when it was due, and no waiting person was told of; pytest's fixtures raise the first one."""
        with self._world.look():
            return tuple(self._world.failures)

    def note_failure(self, error: Exception) -> None:
        """Remember what has failed while a front let happen what was due. For fronts."""
        with self.turn():
            self._world.failures.append(error)

    # What comes of what applications ask.

    def next_message(self, *, ends: MessageEnd, reason: str = "Unreachable destination") -> None:
        """Let the next outgoing message end as ``undelivered`` or ``failed``.

        Args:
            ends: one of the two; or ``sent``: it stays on its way, and nothing more is told of it.
            reason: why.

        Raises:
            ConfigError: a message cannot be made to end so.
        """
        with self.turn():
            self._messaging.script_next(ends, reason)

    def next_payment(self, *, ends: str, code: str = "", message: str = "") -> None:
        """Let the connector of the next payment answer so; unless told, payments succeed.

        Args:
            ends: ``success``, ``payment-connector-error``, ``validation-error`` or ``internal-error``.
            code: of the error.
            message: of the error.

        Raises:
            ConfigError: a payment cannot be made to end so.
        """
        with self.turn():
            self._world.scripts.payments.append(PaymentScript(ends, code, message))

    def next_agent(self, *turns: Turn | str, ends: AgentEnd = "finished", summary: str = "") -> None:
        """Let the next AI agent hold this conversation; unless told, agents make one up (`PoliteAgent`).

        Args:
            turns: what it does, one after the other; a text is said. The first is done at once unless it waits for
                words, every other one when the person has said something.
            ends: after the last turn: ``finished``, ``hangs up``, ``error``, or ``silent`` (no event at all).
            summary: what comes out of the post prompt.

        Raises:
            ConfigError: an agent cannot be made to end so.
        """
        script = AgentScript(tuple(Turn(turn) if isinstance(turn, str) else turn for turn in turns), ends, summary)
        with self.turn():
            self._world.scripts.agents.append(script)

    def teach_translation(self, words: str, translation: str, *, to: str) -> None:
        """Let live translations into ``to`` turn these words into that; others only get the language before them."""
        with self.turn():
            self._world.scripts.teach(words, translation, to)

    def ping_every(self, seconds: float | None) -> None:
        """Ping every client so often (seconds of the clock), beginning after that time; None: stop pinging.

        Raises:
            ConfigError: that is not above 0.
        """
        if seconds is not None and not (checks.is_number(seconds) and seconds > 0):
            raise ConfigError(f"pings every {seconds!r} s: it is a number of seconds above 0, or None for no pings")
        with self.turn():
            if self._ping_timer is not None:
                self._ping_timer.cancel()
            self._ping_timer = None
            self._ping_s = seconds
            if seconds is not None:
                self._ping_later(seconds)

    def reset(self) -> None:
        """Begin anew: no connection, session, call, phone, fault or frame is left. Manners and pings stay."""
        with self.turn():
            self.drop_sockets()
            self._sessions.forget()
            self._exchange.clear()
            self._switchboard.clear()
            self._phones.clear()
            self._messaging.clear()
            self._commands.clear()
            # What was cut off above may have told of its end, and whoever was in company with it may react.
            self._world.webhooks.clear()
            self._world.files.clear()
            self._world.feeds.clear()
            self._world.scripts.clear()
            self._world.timers.clear()
            self._world.failures.clear()
            self._faults.clear()
            self._post.clear()
            self._reception.clear()
            self.frames.clear()
            self.ping_every(self._ping_s)

    def _ping_later(self, seconds: float) -> None:
        def ping() -> None:
            self._reception.ping_all()
            self._ping_later(seconds)

        self._ping_timer = self._world.after_real(seconds, ping)

    def _attached(self) -> list[str]:
        with self._world.look():
            return [session.name for session in self._sessions.all() if session.is_attached]

    def _legs(self, call: Line | CallSnapshot | str) -> list[Call]:
        ids = call.call_ids if isinstance(call, Line) else [call if isinstance(call, str) else call.call_id]
        return [leg for leg in map(self._exchange.look_up, ids) if leg is not None]
