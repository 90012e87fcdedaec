"""What can go wrong on purpose: a part of `Simulator`. Layer: simulator.

Source: PROTOCOL 19.3, fault injection.
"""

from __future__ import annotations

from typing import get_args

from relay_actors.errors import ConfigError
from relay_actors.protocol import checks
from relay_actors.simulator.damages import Becomes, Damage
from relay_actors.simulator.fault_words import Fault, parse_fault
from relay_actors.simulator.faults import ALL_METHODS, ANYTHING, Delay, Rejection, Twist
from relay_actors.simulator.names import known_event_type, known_method, one_of
from relay_actors.simulator.near_words import NearWords
from relay_actors.simulator.post import Post
from relay_actors.simulator.sessions import Sessions
from relay_actors.simulator.wire_mishaps import WireMishaps

__all__ = ["Mishaps"]


class Mishaps(NearWords, WireMishaps):
    """Refuses, delays, repeats and forgets, when a test says so; `inject` does whatever has a name. Any thread."""

    _sessions: Sessions
    _post: Post

    def inject(self, fault: Fault | str, /, **args: object) -> Fault:
        """Do what a fault of the table says, and return the fault.

        Returns at once, also inside a turn, and never waits: what takes time goes on by itself.

        Args:
            fault: a `Fault`; its name; or its text, such as ``"reject method=calling.play code=500 times=2"``.
            args: more arguments.

        Raises:
            ConfigError: there is no such fault or argument, one is missing, or is not what it must be.
        """
        if not isinstance(fault, Fault | str):
            raise ConfigError(
                f"inject({fault!r}): give the fault as text, such as 'drop', or read it by Fault.from_json"
            )
        given = parse_fault(fault, **args) if isinstance(fault, str) else fault.having(**args)
        # By its name: the table is what pairs the two, and a test walks it.
        getattr(self, given.word.calls)(**given.all_args())
        return given

    def recover(self) -> None:
        """Let everything go well from now on: what waits crosses, and what has not gone wrong yet does not."""
        with self._world.turn():
            self._faults.clear()
            self._reception.hurry()
            self._post.release_all()

    def mend_lines(self) -> None:
        """Let connections be taken again and carry everything, and requests be answered; what is refused stays so."""
        with self._world.turn():
            self._faults.mend_lines()
            self._reception.crossings.hurry(self._reception.connections)

    def stop_answering(self, method: str = ALL_METHODS, *, but_do_it: bool = False, times: int | None = None) -> None:
        """Leave requests of ``method`` unanswered until `resume_answering`.

        Args:
            method: the wire method; all if left out, pings and log-ins included.
            but_do_it: carry the requests out all the same: only their answers are lost. A session is opened or resumed
                then, and what it is told waits for the client's next socket.
            times: only so many of them.
        """
        checks.given(checks.whole_number, times=times)
        with self._world.turn():
            self._faults.stop_answering(known_method(method), but_do_it=but_do_it, times=times)

    def resume_answering(self, method: str = ALL_METHODS) -> None:
        """Answer requests of ``method`` again; all if left out."""
        with self._world.turn():
            self._faults.resume_answering(known_method(method))

    def reject_next(
        self, method: str, *, code: str | int = "500", message: str = "Internal error", times: int = 1
    ) -> None:
        """Refuse the next requests of ``method``: a text is a result code, a number a JSON-RPC error code.

        A log-in can only be refused by an error, so there a text is taken for its number (or for -32002).
        """
        checks.required(checks.whole_number, times=times)
        with self._world.turn():
            self._faults.reject(known_method(method), Rejection(code, message), times)

    def answer_late(self, method: str, *, seconds: float, times: int = 1) -> None:
        """Hold back the next answers to ``method`` for so many seconds of the clock.

        A log-in takes effect with its answer, everything else at once.
        """
        checks.required(checks.seconds, seconds=seconds)
        with self._world.turn():
            self._faults.answer_late(known_method(method), seconds, times)

    def answer_twice(self, method: str) -> None:
        """Send the next answer to ``method`` twice; to a log-in, the next one that accepts it."""
        with self._world.turn():
            self._faults.answer_twice(known_method(method))

    def duplicate_next(self, event_type: str) -> None:
        """Send the next event of this type twice, under one frame id."""
        with self._world.turn():
            self._faults.duplicate(known_event_type(event_type))

    def delay_next(self, event_type: str, seconds: float, *, keeps_order: bool = False) -> None:
        """Hold back the next event of this type for so many seconds of the clock; later events overtake it.

        Args:
            event_type: of the event.
            seconds: of the clock.
            keeps_order: only events of other calls and operations overtake it, as RELAY allows; the others wait, too.
        """
        checks.required(checks.seconds, seconds=seconds)
        with self._world.turn():
            self._faults.delay(known_event_type(event_type), Delay(seconds, keeps_order))

    def reorder_next(self, event_type: str = ANYTHING, *, within: float = 1.0) -> None:
        """Let the next event of this type change places with the one after it, as far as RELAY allows.

        Only an event of another call or operation may go before it. It is sent after so many seconds of the clock if
        there is none.
        """
        checks.required(checks.seconds, within=within)
        with self._world.turn():
            self._faults.delay(known_event_type(event_type), Delay(within, keeps_order=True, until_overtaken=True))

    def leave_out_next(self, event_type: str = ANYTHING) -> None:
        """Do not send the next event of this type."""
        with self._world.turn():
            self._faults.twist(known_event_type(event_type), Twist("left out"))

    def repeat_next(self, event_type: str = ANYTHING, *, state: str = "") -> None:
        """Send the next event of this type once more, in a frame of its own; with another ``state`` if one is given."""
        with self._world.turn():
            self._faults.twist(known_event_type(event_type), Twist("repeated", state))

    def add_fields_next(self, event_type: str = ANYTHING) -> None:
        """Send the next event of this type with fields that no client knows."""
        with self._world.turn():
            self._faults.twist(known_event_type(event_type), Twist("enriched"))

    def damage_next(
        self, event_type: str = ANYTHING, *, field: str, becomes: Becomes = "missing", copy: bool = False
    ) -> None:
        """Damage the next event of this type that has the field.

        Args:
            event_type: of the event.
            field: of its own params or of its envelope; with dots for one further inside: ``call.call_id``.
            becomes: ``missing``; or what it is in place of what it should be: ``number``, ``text``, ``flag``, ``list``,
                ``object``, ``null``, or ``other``: a number where it was text, text where it was not.
            copy: the event stays whole, and a damaged copy in a frame of its own goes before it.
        """
        checks.required(checks.text, field=field)
        checks.required(one_of(get_args(Becomes)), becomes=becomes)
        with self._world.turn():
            self._faults.damage(known_event_type(event_type), Damage(field, becomes, copy))

    def binary_next(self, event_type: str = ANYTHING) -> None:
        """Send the next event of this type as a binary message."""
        with self._world.turn():
            self._faults.send_binary(known_event_type(event_type))

    def refuse_resumes(self, times: int = 1) -> None:
        """Refuse the next log-ins that name a session, and forget that session. Its calls stay up with no owner."""
        checks.required(checks.whole_number, times=times)
        with self._world.turn():
            self._faults.refused_resumes += times

    def expire_authorization(self, *, closes: bool = True) -> None:
        """Let what the clients have logged in by be valid no longer.

        Whatever they ask for is refused by -32401, and so is the resume of their sessions; who logs in anew is taken.
        Their calls stay up with no owner.

        Args:
            closes: the connection is closed after the first refusal.
        """
        with self._world.turn():
            for session in self._sessions.all():
                session.is_expired = True
                session.closes_expired = closes

    def announce_disconnect(self, *, restart: bool = False, close_after: float | None = 0.05) -> None:
        """Tell every client that its connection is about to be closed, and close it.

        Args:
            restart: the clients are to forget their sessions, and so does this side.
            close_after: seconds of the clock until the close; None leaves it to the test (`drop_sockets`).
        """
        with self._world.turn():
            connections = self._reception.connections
            for connection in connections:
                connection.announce_disconnect(restart=restart)
                if restart and connection.session is not None:
                    self._sessions.close(connection.session)
            if close_after is not None:
                self._world.after_real(close_after, lambda: self._drop(connections, clean=True))

    def restart(self, *, keeps_sessions: bool = True, announced: bool = True, seconds: float = 0.0) -> None:
        """Let the server go down and come back.

        Args:
            keeps_sessions: they can be resumed; if not, calls stay up with no owner, and nobody hears of them again.
            announced: clients are told before (``signalwire.disconnect``), and their connections closed cleanly; if
                not, they break.
            seconds: of the clock until new connections are taken.
        """
        checks.required(checks.seconds, seconds=seconds)
        with self._world.turn():
            if announced:
                self.announce_disconnect(restart=not keeps_sessions, close_after=0.0)
            else:
                self.drop_sockets()
            if not keeps_sessions:
                self.forget_sessions()
            if seconds:
                self._refuse(seconds)

    def forget_sessions(self) -> None:
        """Know no session any more: the next resume is refused. Calls stay up, but nobody owns them."""
        with self._world.turn():
            for call in self._exchange.up():
                call.session = None
            self._sessions.forget()
