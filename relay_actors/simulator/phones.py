"""People with telephones, by number: they call, are called, and read their texts. Layer: simulator.

::

    caller = sim.phone("+15550001111").dials(context="support")
    caller.hears("press 1").presses("1")

    desk = sim.phone("+15550002222")
    desk.rings().answers()
    caller.talks_to(desk)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.protocol import checks
from relay_actors.simulator.calls import Call
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.lines import Line, Reflex, StoryError, check_keys
from relay_actors.simulator.messaging import Messaging, TextMessage
from relay_actors.simulator.on_the_line import OnTheLine
from relay_actors.simulator.personas import HUMAN, Persona
from relay_actors.simulator.sounds import voice
from relay_actors.simulator.switchboard import Switchboard
from relay_actors.simulator.world import World

__all__ = ["Phone", "Phones", "Reaction"]

PICK_UP_S: Final = 0.2
"""From the first ring to a scripted answer, simulated."""

SIP_DOMAIN: Final = "relay.example.com"
"""Where numbers are that a SIP phone calls."""

GREETING: Final = "Hello, this is an answering machine. Nobody is at home; please leave a message."
"""What a machine says that nobody told what to say."""

LINES_BOUND: Final = 1000
"""How many calls a phone remembers."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """How a phone deals with one call that comes in: ``ring``, ``answer``, ``reject`` or ``busy``."""

    what: str
    after_s: float = PICK_UP_S


RING: Final = Reaction("ring")


class Phone(OnTheLine):
    """One telephone and whoever it belongs to.

    What it does about an incoming call can be said ahead (`answers`, `rejects`, `is_busy`, `never_answers`, each for
    one call; `answers_after` for all) or while it rings. Unless told, it rings until somebody stops it.

    What a person does on a call is on the `Line`; a phone passes the story on to its latest line (`OnTheLine`).
    """

    def __init__(self, world: World, number: str, phones: Phones) -> None:
        self._world = world
        self._number = number
        self._phones = phones
        self._lines: list[Line] = []
        self._seen_lines = 0
        self._had = 0
        self._awaited = 0
        self._played: set[Line] = set()
        self._scripted: deque[Reaction] = deque()
        self._habit = RING
        self._persona = HUMAN
        self._reflexes: list[Reflex] = []
        self._texts: list[TextMessage] = []
        self._read_texts = 0
        self._refuses_texts = ""

    @property
    def number(self) -> str:
        """The number, as devices name it."""
        return self._number

    @property
    def line(self) -> Line:
        """The latest line.

        Raises:
            StoryError: there was no call yet.
        """
        with self._world.look():
            if not self._lines:
                raise StoryError(f"{self._number} has had no call yet: let it dial, or wait for it with rings()")
            return self._lines[-1]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The last 1000 calls that this phone was part of, the oldest first."""
        with self._world.look():
            return tuple(self._lines)

    @property
    def voicemails(self) -> tuple[str, ...]:
        """What an answering machine has recorded, one text for each call that is over, the oldest call first.

        It has the words and the URLs of what was heard after the beep, see `Line.message`.
        """
        with self._world.look():
            return tuple(line.message for line in self._recorded_lines())

    @property
    def inbox(self) -> tuple[TextMessage, ...]:
        """Every text that arrived, the oldest first."""
        with self._world.look():
            return tuple(self._texts)

    # Calling and being called.

    def dials(self, *, context: str | None = None, to: str | None = None) -> Line:
        """Call an application, and return the line at once. A phone whose number begins with ``sip:`` calls by SIP.

        Args:
            context: the context whose sessions get the call.
            to: the number that is dialled; its context was given with `Simulator.assign_number`.

        Raises:
            ConfigError: neither of the two leads to a context.
        """
        with self._world.turn():
            line = self._phones.dial(self, context, to, self._persona, tuple(self._reflexes))
            self._add(line)
            self._seen_lines = len(self._lines)
            return line

    def rings(self, within: float | None = None) -> Line:
        """Wait until the phone rings, and return that line. Each call is returned once.

        Raises:
            StoryError: it did not ring in time.
        """

        def next_ringing() -> Line | None:
            for place in range(self._seen_lines, len(self._lines)):
                if self._lines[place].is_ringing:
                    self._seen_lines = place + 1
                    return self._lines[place]
            return None

        found: list[Line] = []

        def has_rung() -> bool:
            line = next_ringing()
            if line is not None:
                found.append(line)
            return bool(found)

        if not self._world.wait_until(has_rung, within):
            past = "\n".join(line.story() for line in self.lines) or "it has had no call at all"
            raise StoryError(f"{self._number} did not ring within {self._world.patience(within):g} s\n{past}")
        return found[0]

    def answers(self) -> Phone:
        """Pick up: the call that rings now, or else the next one."""
        with self._world.turn():
            if (line := self._ringing_line()) is not None:
                line.answers()
            else:
                self._scripted.append(Reaction("answer"))
                if self._awaited <= self._had:
                    self._awaited = self._had + len(self._scripted)
        return self

    def rejects(self) -> Phone:
        """Decline: the call that rings now, or else the next one."""
        with self._world.turn():
            if (line := self._ringing_line()) is not None:
                line.rejects()
            else:
                self._scripted.append(Reaction("reject"))
        return self

    def is_busy(self) -> Phone:
        """Be busy when the next call comes: it does not even ring."""
        with self._world.turn():
            self._scripted.append(Reaction("busy"))
        return self

    def never_answers(self) -> Phone:
        """Let the next call ring until it gives up."""
        with self._world.turn():
            self._scripted.append(RING)
        return self

    def answers_after(self, seconds: float) -> Phone:
        """From now on answer every call after so many simulated seconds, unless something else is scripted."""
        checks.required(checks.seconds, seconds=seconds)
        with self._world.turn():
            self._habit = Reaction("answer", seconds)
        return self

    # Who it is, and what it does unasked.

    def is_answering_machine(
        self, greeting: str = GREETING, *, beep: bool = True, greeting_s: float | None = None
    ) -> Phone:
        """Be a machine from now on: it answers every call, says its greeting, beeps, and records what it then hears.

        Detectors find it. What it says is heard as if a person spoke: by whom it is connected to, by whatever listens
        to speech, and in recordings. What it has recorded is in `voicemails` (`Line.message` while the call goes on).

        Args:
            greeting: what it says; nothing if empty.
            beep: whether it beeps before it records.
            greeting_s: simulated seconds until the greeting is over; None: as long as its words take.

        Raises:
            ArgumentError: an argument is not what it must be.
        """
        checks.required(checks.any_text, greeting=greeting)
        checks.given(checks.seconds, greeting_s=greeting_s)
        if greeting_s is None:
            greeting_s = voice(greeting).length_s if greeting else 0.0
        return self._becomes(Persona("machine", greeting=greeting, greeting_s=greeting_s, has_beep=beep))

    def is_fax_machine(self, *, tone: str = "", sends: int = 1) -> Phone:
        """Be a fax machine from now on: it answers every call, detectors find it, and it takes faxes.

        Args:
            tone: what it whistles; if empty, ``CED`` when called and ``CNG`` when it calls, as machines do.
            sends: how many pages it sends to an application that receives a fax from it; 0: it has none.

        Raises:
            ConfigError: ``sends`` is negative.
        """
        if sends < 0:
            raise ConfigError(f"a fax has no {sends} pages: sends=0 means that there is nothing to send")
        return self._becomes(Persona("fax", fax_tone=tone, fax_pages=sends))

    def reacts(
        self,
        to: str,
        *,
        presses: str | None = None,
        says: str | None = None,
        hangs_up: bool = False,
        after: float = 0.3,
    ) -> Phone:
        """On later calls do this by itself whenever it hears ``to``, after so many simulated seconds.

        Raises:
            ConfigError: there is a key that no phone has.
            ArgumentError: another argument is not what it must be.
        """
        return self._has_reflex(to, presses, says, after, hangs_up=hangs_up, is_to_change=False)

    def reacts_when(
        self,
        change: str,
        *,
        presses: str | None = None,
        says: str | None = None,
        hangs_up: bool = False,
        after: float = 0.3,
    ) -> Phone:
        """On later calls do this by itself whenever the line changes so: ``answered``, ``connected to``, ``taken out``.

        Otherwise as `reacts`. The changes are those that the timeline of a line tells beside what is heard.

        Raises:
            ConfigError: there is a key that no phone has.
            ArgumentError: another argument is not what it must be.
        """
        return self._has_reflex(change, presses, says, after, hangs_up=hangs_up, is_to_change=True)

    # Texts.

    def texts(
        self, body: str, *, to: str | None = None, context: str | None = None, media: tuple[str, ...] = ()
    ) -> Phone:
        """Send a text to an application.

        Args:
            body: the words.
            to: the number; its context was given with `Simulator.assign_number`.
            context: the context whose sessions get it.
            media: URLs.

        Raises:
            ConfigError: neither ``to`` nor ``context`` leads to a context.
            StoryError: no session is subscribed to the context.
        """
        with self._world.turn():
            self._phones.text(self, body, to, context, media)
        return self

    def receives_text(self, what: str = "", within: float | None = None) -> TextMessage:
        """Wait for a text that contains ``what`` and return it. Each text is returned once; earlier ones are skipped.

        Raises:
            StoryError: it did not come in time.
        """
        found: list[TextMessage] = []

        def has_come() -> bool:
            for place in range(self._read_texts, len(self._texts)):
                if what.casefold() in self._texts[place].body.casefold():
                    self._read_texts = place + 1
                    found.append(self._texts[place])
                    return True
            return False

        if not self._world.wait_until(has_come, within):
            told = [f"\n  from {text.from_number}: {text.body!r}" for text in self.inbox]
            read = self._read_texts
            told[:read] = [f"{text} (returned before, or skipped)" for text in told[:read]]
            inbox = "".join(told) or " nothing"
            patience_s = self._world.patience(within)
            raise StoryError(f"{self._number} got no text with {what!r} within {patience_s:g} s; it got:{inbox}")
        return found[0]

    def receives_voicemail(self, what: str = "", within: float | None = None) -> str:
        """Wait for a call that is over and of which an answering machine has recorded ``what``; return all it recorded.

        Each one is returned once. Case does not matter.

        Raises:
            StoryError: there was none in time.
        """
        found: list[Line] = []

        def is_there() -> bool:
            fresh = (line for line in self._recorded_lines() if line not in self._played)
            found.extend(line for line in fresh if what.casefold() in line.message.casefold())
            return bool(found)

        if not self._world.wait_until(is_there, within):
            past = "\n".join(line.story() for line in self.lines) or "it has had no call at all"
            seconds = self._world.patience(within)
            raise StoryError(f"{self._number} recorded no message with {what!r} within {seconds:g} s\n{past}")
        self._played.add(found[0])
        return found[0].message

    def refuses_texts(self, reason: str = "Unreachable destination") -> Phone:
        """From now on let texts come back as ``undelivered``; an empty reason takes them again."""
        with self._world.turn():
            self._refuses_texts = reason
        return self

    # What the exchange and the messaging tell it.

    def is_called(self, call: Call) -> None:
        """Deal with an incoming call. Only inside a turn."""
        line = Line(self._world, self._number, call, persona=self._persona, reflexes=tuple(self._reflexes))
        line.note(f"called by {call.number('from_number')}")
        self._add(line)
        reaction = self._scripted.popleft() if self._scripted else self._habit
        if reaction.what == "busy":
            call.cancel("busy")
            return
        call.ring()
        if reaction.what == "answer":
            self._world.after(reaction.after_s, lambda: _while_ringing(line, line.answers))
        elif reaction.what == "reject":
            self._world.after(reaction.after_s, lambda: _while_ringing(line, line.rejects))

    def is_texted(self, text: TextMessage) -> str:
        """Take a text, and return an empty string, or why not. Only inside a turn."""
        if not self._refuses_texts:
            self._texts.append(text)
        return self._refuses_texts

    def _has_reflex(
        self, to: str, presses: str | None, says: str | None, after: float, *, hangs_up: bool, is_to_change: bool
    ) -> Phone:
        checks.required(checks.text, **{"change" if is_to_change else "to": to})
        checks.given(checks.text, says=says)
        checks.required(checks.seconds, after=after)
        if presses is not None:
            check_keys(presses)

        def act(line: Line) -> None:
            if presses is not None:
                line.presses(presses)
            if says is not None and not line.is_over:  # a key may have ended the call
                line.says(says)
            if hangs_up:
                line.hangs_up()

        with self._world.turn():
            self._reflexes.append(Reflex(to, act, after, is_to_change))
        return self

    def _awaited_line(self, within: float | None) -> Line:
        def is_there() -> bool:
            return bool(self._lines) and (self._had >= self._awaited or not self._lines[-1].is_over)

        if not self._world.wait_until(is_there, within):
            past = "".join(f"\n{line.story()}" for line in self.lines)
            waited = f"for {self._world.patience(within):g} s"
            if past:
                raise StoryError(f"{self._number} was to answer a call, and waited for it in vain {waited}{past}")
            raise StoryError(
                f"{self._number} has had no call yet, and waited for one {waited}: let it dial, or be dialled"
            )
        return self.line

    def _recorded_lines(self) -> list[Line]:
        return [line for line in self._lines if line.is_over and line.message]

    def _add(self, line: Line) -> None:
        self._lines.append(line)
        self._had += 1
        surplus = len(self._lines) - LINES_BOUND
        if surplus > 0:
            del self._lines[:surplus]
            self._seen_lines = max(0, self._seen_lines - surplus)
            self._played &= set(self._lines)

    def _becomes(self, persona: Persona) -> Phone:
        with self._world.turn():
            self._persona = persona
            self._habit = Reaction("answer")
        return self

    def _ringing_line(self) -> Line | None:
        return next((line for line in reversed(self._lines) if line.is_ringing), None)


class Phones:
    """Every phone that was ever named; a number that nobody named yet is a phone that rings.

    Args:
        world: time, and the way to wait.
        exchange: rings here when a device is dialled.
        switchboard: gets the calls that phones make.
    """

    def __init__(self, world: World, exchange: Exchange, switchboard: Switchboard) -> None:
        self._world = world
        self._exchange = exchange
        self._switchboard = switchboard
        self._by_number: dict[str, Phone] = {}
        self._contexts: dict[str, str] = {}
        self._messaging: Messaging | None = None
        exchange.reach = self._is_rung

    def serve(self, messaging: Messaging) -> None:
        """Send texts by this messaging from now on."""
        self._messaging = messaging

    def phone(self, number: str) -> Phone:
        """Return the phone of a number.

        Raises:
            ConfigError: the number is no text.
        """
        if not isinstance(number, str) or not number:
            raise ConfigError(f'phone({number!r}): give the number as text, "+15550001111"')
        with self._world.turn():
            known = self._by_number.get(number)
            if known is None:
                known = self._by_number[number] = Phone(self._world, number, self)
            return known

    def all(self) -> tuple[Phone, ...]:
        """Return every phone that was named, oldest first."""
        with self._world.look():
            return tuple(self._by_number.values())

    def assign(self, number: str, context: str) -> None:
        """Let calls and texts to ``number`` go to ``context``, as a dashboard does."""
        with self._world.turn():
            self._contexts[number] = context

    def dial(
        self, phone: Phone, context: str | None, to: str | None, persona: Persona, reflexes: tuple[Reflex, ...]
    ) -> Line:
        """Make an inbound call for a phone."""
        to, context = self._destination(context, to)
        call = self._exchange.new_call(
            session=None,
            direction="inbound",
            device=_device(phone.number, to),
            created_by="receive",
            context=context,
        )
        line = Line(self._world, phone.number, call, persona=persona, reflexes=reflexes)
        line.note(f"dialled {to} (context {context})")
        self._switchboard.place(call)
        return line

    def text(self, phone: Phone, body: str, to: str | None, context: str | None, media: tuple[str, ...]) -> None:
        """Send a text for a phone."""
        to, context = self._destination(context, to)
        assert self._messaging is not None
        if not self._messaging.receive(TextMessage(phone.number, to, body, media), context):
            raise StoryError(f"{phone.number} cannot text: {self._switchboard.nobody_takes(context)}")

    def take_text(self, text: TextMessage) -> str:
        """Give an outgoing text to the phone that it is for."""
        return self.phone(text.to_number).is_texted(text)

    def clear(self) -> None:
        """Forget all phones and numbers."""
        self._by_number.clear()
        self._contexts.clear()

    def _destination(self, context: str | None, to: str | None) -> tuple[str, str]:
        if context is None and to is not None:
            context = self._contexts.get(to)
        if context is None:
            raise ConfigError(
                f"nobody knows where {to or 'this'} leads: give context=..., or to=... after assign_number(to, context)"
            )
        if to is None:
            to = next((number for number, known in self._contexts.items() if known == context), "+15550000000")
        return to, context

    def _is_rung(self, call: Call) -> bool:
        number = call.number("to_number")
        if not number:
            return False
        self.phone(number).is_called(call)
        return True


def _device(number: str, to: str) -> dict[str, object]:
    """Return how a call from ``number`` to ``to`` looks on the wire. Source: PROTOCOL 13.2."""
    if not number.startswith("sip:"):
        return {"type": "phone", "params": {"from_number": number, "to_number": to}}
    address = to if to.startswith("sip:") else f"sip:{to}@{SIP_DOMAIN}"
    return {"type": "sip", "params": {"from": number, "to": address}}


def _while_ringing(line: Line, act: Callable[[], object]) -> None:
    if line.is_ringing:
        act()
