"""A new process takes up the texts of the one that was killed (SEMANTICS J4, J5, X17)."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from dataclasses import dataclass

import pytest

from relay_actors import ActionCompleted, CallActor, MessageActor
from relay_actors.actors.routing import Routes
from relay_actors.actors.text_turns import TextHandled, TextTurn
from relay_actors.errors import CommandRejectedError, ConnectionLostError, RelayActorsError, RelayError
from relay_actors.events import CallReceiveEvent, CallStateEvent, MessageStateEvent
from relay_actors.runtime.future import Future
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CONTEXT, OURS, device
from tests.support.thorough import some_of

PERSON, OTHER = "+15550001111", "+15550002222"
LONG_ENOUGH_S = 60.0

ends: list[str] = []


def note(event: MessageStateEvent) -> None:
    ends.append(f"{event.body} {event.message_state}")


class Answers(MessageActor):
    """A handler that answers, and tells somebody else."""

    def on_receive(self, message: object) -> None:
        self.reply("one", on_completed=note)
        self.app.send_message(to_number=OTHER, from_number=self.message.to_number, body="two", on_completed=note)


class Converses(MessageActor):
    """A handler that waits for what becomes of its first text before it sends the second one."""

    async def on_receive(self, message: object) -> None:
        first = self.reply("one")
        with contextlib.suppress(RelayError):  # nobody may know what has become of it
            await first.wait(timeout=30)
        second = self.reply("two")
        try:
            ends.append((await second.wait(timeout=30)).message_state)
        except RelayError as error:
            ends.append(str(error))


class Hello(CallActor):
    """Says hello to whom it has called."""

    async def run(self) -> None:
        await (await self.play_tts("Hello")).wait()


class CallsBack(MessageActor):
    """A handler that dials, waits until the call is over, and says so."""

    tag: str | None = None

    async def on_receive(self, message: object) -> None:
        call = self.app.dial(Hello, [[device(OTHER)]], tag=self.tag)
        await call.wait_for_ended(timeout=40)
        self.reply("called")


class CallsBackUnderItsTag(CallsBack):
    tag = "call-back"


def heard(world: MortalWorld, number: str) -> list[str]:
    """Return what somebody has read and heard."""
    phone = world.sim.phone(number)
    lines = [str(sound) for line in phone.lines for sound in line.heard]
    return [text.body for text in phone.inbox] + lines


@dataclass
class Story:
    """One text that comes in, and what two people are to have got at the end."""

    actor_class: type[MessageActor]
    person: tuple[str, ...]
    other: tuple[str, ...]


STORIES = {
    "handler": Story(Answers, ("one",), ("two",)),
    "coroutine": Story(Converses, ("one", "two"), ()),
    "dial": Story(CallsBack, ("called",), ("Hello",)),
    "dial with a tag": Story(CallsBackUnderItsTag, ("called",), ("Hello",)),
}


def tell(story: Story, world: MortalWorld, dies_at: int | None = None) -> None:
    """Let the whole story happen, with a death at a place of it, and see that what became of it is right."""
    ends.clear()
    world.app.messages(CONTEXT)(story.actor_class)
    world.sim.phone(OTHER).answers_after(1.0)
    world.start()
    begun_at = world.places
    if dies_at is not None:
        world.dies_at = begun_at + dies_at
    world.sim.phone(PERSON).texts("Hi", context=CONTEXT)
    world.live(LONG_ENOUGH_S)
    world.places -= begun_at
    got = [*heard(world, PERSON), *heard(world, OTHER)]
    due = [*story.person, *story.other]
    assert max(Counter(got).values(), default=0) <= 1, f"doubled: {got}"
    assert set(got) <= set(due)
    assert len(set(due) - set(got)) <= world.count("messages.unknown"), f"lost, and nobody was told: {got}"
    assert all(len(phone.lines) <= 1 for phone in world.sim.phones)
    assert not world.medium.entries, f"left in the journal: {list(world.medium.entries)}"


def count_of(story: Story, seed: int) -> int:
    """Return at how many places of an undisturbed story the process could have died."""
    with MortalWorld(seed) as world:
        tell(story, world)
        assert world.count("messages.unknown") == 0
        return world.places


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", STORIES)
def test_a_process_that_handles_a_text_may_die_before_and_after_every_commit_and_every_write(
    name: str, seed: int
) -> None:
    """Everything is sent once; what nobody knows of is told of, and not sent again. J4, J5, X17."""
    story = STORIES[name]
    count = count_of(story, seed)
    assert count > 20
    for place in some_of(range(1, count + 1), 9):
        with MortalWorld(seed) as world:
            tell(story, world, place)
            assert world.deaths == 1


class Cursed(MortalWorld):
    """Dies again and again, each time after as many places."""

    gap = 0
    left = 6

    def dies(self) -> None:
        super().dies()
        self.left -= 1
        self.dies_at = self.places + self.gap if self.left else None


@pytest.mark.parametrize("gap", [7, 13])
@pytest.mark.parametrize("name", STORIES)
def test_a_process_may_die_again_and_again_over_one_text(name: str, gap: int) -> None:
    """What was found once is found each time. J4, J5, X17."""
    for seed in range(1, 6):
        with Cursed(seed) as world:
            world.gap = gap
            tell(STORIES[name], world, gap)
            assert world.deaths > 1


# -- the handler that is run again -----------------------------------------------------------------------------------

gates: list[Future[None]] = []


class Stays(MessageActor):
    """Sends a text, notes what it is told of it, and is not over."""

    async def on_receive(self, message: object) -> None:
        text = self.reply("one", on_completed=note)
        text.on(lambda event: ends.append(event.message_state))
        try:
            ends.append(f"taken {(await text.sent).message_id == text.message_id != ''}")
        except RelayError as error:
            ends.append(f"{type(error).__name__} {error.code}")
        await gates[-1]


def stays(world: MortalWorld, dies_after_s: float = 5.0) -> None:
    """Let a handler send a text, and die before it is over; the next one comes to the same place."""
    ends.clear()
    world.app.messages(CONTEXT)(Stays)
    world.start()
    for after_s in (dies_after_s, 15.0):
        gates.append(Future(world.dispatcher))
        if after_s == 15.0:
            ends.clear()
            world.lives_again(after_s=0.5)
        else:
            world.sim.phone(PERSON).texts("Hi", context=CONTEXT)
        world.run(after_s)
        if after_s != 15.0:
            world.dies()


def is_let_go(world: MortalWorld) -> bool:
    """Let the handler be over; return whether nothing is left of the text then."""
    gates[-1].set(None)
    world.run(5.0)
    return not world.app._running().texts() and not world.medium.entries


def test_a_handler_that_is_run_again_is_told_the_end_of_what_it_had_sent() -> None:
    """Also if that was known before the process ended: nobody else could tell it."""
    with MortalWorld() as world:
        stays(world)
        assert ends == ["taken True", "one delivered"]
        assert is_let_go(world)
        assert heard(world, PERSON) == ["one"]


def test_a_handler_that_is_run_again_is_told_the_states_that_are_still_to_come() -> None:
    with MortalWorld() as world:
        stays(world, dies_after_s=0.03)
        assert ends[0] == "taken True"
        assert ends[-2:] == ["delivered", "one delivered"]
        assert is_let_go(world)
        assert world.system.dead_letters.counts == {}


def test_a_handler_that_is_run_again_is_told_of_a_refusal() -> None:
    """What the server has refused is not offered to it once more."""
    with MortalWorld() as world:
        world.sim.reject_next("messaging.send", code="422", message="No such number", times=1)
        stays(world)
        assert ends == [f"{CommandRejectedError.__name__} 422", "one failed"]
        assert is_let_go(world)
        assert len(world.sent("messaging.send")) == 1


def test_what_is_unknown_is_told_of_and_not_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    """K6, J5: the server has never answered, and tells nothing of it."""
    with MortalWorld() as world:
        world.sim.stop_answering("messaging.send")
        stays(world)
        assert sorted(ends) == [f"{ConnectionLostError.__name__} -1", "one unknown", "unknown"]
        assert is_let_go(world)
        assert (len(world.sent("messaging.send")), world.count("messages.unknown")) == (1, 1)
        assert caplog.text.count("nobody knows whether a text was sent") == 1
        assert {record.levelno for record in caplog.records if "nobody knows" in record.message} == {logging.WARNING}


@pytest.mark.parametrize("dies_after_s", [0.03, 1.0])
def test_what_is_unknown_is_known_by_an_event_that_says_the_same(dies_after_s: float) -> None:
    """J5: the answer was lost, and the server tells the states. Those in the journal count, and those to come."""
    with MortalWorld() as world:
        world.sim.stop_answering("messaging.send", but_do_it=True)
        stays(world, dies_after_s)
        assert "taken True" in ends
        assert ends[-1] == "one delivered"
        assert is_let_go(world)
        assert world.count("messages.unknown") == 0
        assert world.system.dead_letters.counts == {}
        assert heard(world, PERSON) == ["one"]


def test_an_event_that_comes_after_the_resume_settles_what_is_unknown() -> None:
    """J5, K3: the former process was told nothing; the session goes on, and so do its events."""
    with MortalWorld() as world:
        world.sim.stop_answering("messaging.send", but_do_it=True)
        for _ in range(4):
            world.sim.delay_next("messaging.state", 1.5)
        world.start()
        world.app.send_message(to_number=PERSON, from_number=OTHER, body="one")
        world.run(0.1)
        world.dies()
        assert [len(kept) for kept in world.medium.entries.values()] == [1], "the intent, and nothing else"
        world.lives_again()
        world.run(20.0)
        assert (world.count("messages.unknown"), world.count("messages.lost")) == (0, 0)
        assert (world.medium.entries, world.system.dead_letters.counts) == ({}, {})


@pytest.mark.parametrize("is_carried_out", [True, False])
def test_a_text_that_is_in_doubt_when_the_process_ends_is_still_so(is_carried_out: bool) -> None:
    """K6, J5: its answer was lost with a socket, and the process ends before there is another one."""
    with MortalWorld() as world:
        world.sim.stop_answering("messaging.send", but_do_it=is_carried_out)
        world.start()
        world.app.send_message(to_number=PERSON, from_number=OTHER, body="one")
        world.run(0.1)
        world.connector.refuse("no network")
        world.sim.drop_sockets()
        world.run(1.0)
        world.dies()
        world.lives_again()
        world.run(20.0)
        assert heard(world, PERSON) == ["one"] * is_carried_out
        assert world.count("messages.unknown") == (not is_carried_out)
        assert (world.medium.entries, world.system.dead_letters.counts) == ({}, {})


def test_a_text_that_waits_for_its_answer_is_not_taken_for_one_that_is_unknown() -> None:
    """An event that may tell of either settles neither."""
    with MortalWorld() as world:
        world.sim.stop_answering("messaging.send")
        world.start()
        world.app.send_message(to_number=PERSON, from_number=OTHER, body="one")
        world.run(0.1)
        world.dies()
        world.sim.resume_answering("messaging.send")
        world.sim.manners.event_before_response = True
        world.lives_again()
        text = world.app.send_message(to_number=PERSON, from_number=OTHER, body="one")
        world.run(10.0)
        assert text.state == "delivered"
        assert world.count("messages.unknown") == 1
        assert heard(world, PERSON) == ["one"]


def test_what_is_unknown_is_so_at_once_when_the_session_is_gone() -> None:
    """K8: nothing more can be heard of it."""
    with MortalWorld() as world:
        world.sim.stop_answering("messaging.send")
        world.start()
        world.app.send_message(to_number=PERSON, from_number=OTHER, body="one")
        world.run(0.01)
        world.dies()
        world.sim.forget_sessions()
        world.lives_again()
        world.until(lambda: world.app._run.tree.is_connected)
        world.run(0.1)
        assert world.count("messages.unknown") == 1
        assert not world.app._running().texts()


def test_what_a_handler_had_begun_goes_on_when_no_class_handles_the_text_any_more() -> None:
    """It is followed to its end, and nothing is left of the text."""
    with MortalWorld() as world:
        gates.append(Future(world.dispatcher))
        world.app.messages(CONTEXT)(Stays)
        world.start()
        world.sim.phone(PERSON).texts("Hi", context=CONTEXT)
        world.run(0.03)
        world.dies()
        world.app._messages = Routes("messages")
        world.lives_again()
        assert [text.kept.message.direction for text in world.app._running().texts()] == ["outbound"]
        world.run(20.0)
        assert world.count("messages.unhandled") == 1
        assert heard(world, PERSON) == ["one"]
        assert (world.medium.entries, world.system.dead_letters.counts) == ({}, {})


def test_a_text_that_is_delivered_twice_is_not_forgotten_while_it_is_being_handled() -> None:
    """K3: the second copy has another frame; what the first one has begun is not in the journal yet."""
    with MortalWorld() as world:
        world.app.messages(CONTEXT)(Answers)
        world.start()
        wire = world.tree.wire
        wire.text_turns["m"] = TextTurn("m")
        wire.gone.add("inbound m")  # its actor has ended, and what it has told the connection is to come
        world.tells("messaging.receive", {"message_id": "m", "from_number": PERSON, "body": "Hi", "context": CONTEXT})
        world.run(1.0)
        assert list(world.medium.entries) == ["m"]
        world.tree.office.tell_connection(TextHandled("m"))
        world.run(1.0)
        assert world.medium.entries == {}


def test_a_handler_that_has_failed_is_not_run_again_by_the_next_process() -> None:
    """M6: its text is over."""
    handled: list[str] = []

    class Fails(MessageActor):
        def on_receive(self, message: object) -> None:
            handled.append(self.message.body)
            raise RuntimeError("a bug in the handler")

    with MortalWorld() as world:
        world.app.messages(CONTEXT)(Fails)
        world.start()
        world.sim.phone(PERSON).texts("Hi", context=CONTEXT)
        world.run(1.0)
        world.dies()
        world.lives_again()
        world.run(5.0)
        assert handled == ["Hi"]


# -- texts that calls send -------------------------------------------------------------------------------------------


class Confirms(CallActor):
    """A flow that sends two texts, and waits for the last state of the second."""

    async def run(self) -> None:
        await self.answer()
        self.app.send_message(to_number=OTHER, from_number=OURS, body="one")
        await (await self.play_tts("Hello")).wait()
        text = self.app.send_message(to_number=OTHER, from_number=OURS, body="two", on_completed=note)
        with contextlib.suppress(RelayActorsError):  # its end may have been forgotten with the process
            await text.wait(timeout=30)


class ConfirmsByHandler(CallActor):
    """The same message by message."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.app.send_message(to_number=OTHER, from_number=OURS, body="one")
                self.play_tts("Hello")
            case ActionCompleted():
                self.app.send_message(to_number=OTHER, from_number=OURS, body="two", on_completed=note)
                self.hangup()


@pytest.mark.parametrize("actor_class", [Confirms, ConfirmsByHandler])
def test_a_process_may_die_at_every_place_of_a_call_that_sends_texts(actor_class: type[CallActor]) -> None:
    """Each text is sent once, or at most once and told of; also one that the flow does not wait for. J3, J5, K6."""

    def call(world: MortalWorld, dies_at: int | None = None) -> int:
        ends.clear()
        world.takes_calls(actor_class)
        begun_at = world.places
        world.dies_at = None if dies_at is None else begun_at + dies_at
        line = world.sim.phone(PERSON).dials(context=CONTEXT)
        world.live(LONG_ENOUGH_S)
        assert line.is_over
        assert heard(world, PERSON) == ["Hello"]
        got = heard(world, OTHER)
        assert got in (["one", "two"], ["one"], ["two"])
        assert len(got) + world.count("messages.unknown") == 2, f"lost, and nobody was told: {got}"
        assert not world.medium.entries, f"left in the journal: {list(world.medium.entries)}"
        return world.places - begun_at

    for seed in range(1, 3):
        with MortalWorld(seed) as world:
            count = call(world)
        assert ends == ["two delivered"]
        for place in some_of(range(1, count + 1), 9):
            with MortalWorld(seed) as world:
                call(world, place)


# -- texts that nobody's handler has sent ----------------------------------------------------------------------------


def test_a_text_that_the_server_has_taken_is_followed_by_the_next_process() -> None:
    """Its states have an owner, and the journal is cleared when the last one has come. X17."""
    with MortalWorld() as world:
        world.start()
        world.app.send_message(to_number=PERSON, from_number=OTHER, body="one", media=["https://example.com/a.png"])
        world.run(0.03)
        world.dies()
        world.lives_again()
        [text] = world.app._running().texts()
        message = text.kept.message
        assert (message.body, message.to_number, message.media) == ("one", PERSON, ["https://example.com/a.png"])
        world.run(10.0)
        assert message.state == "delivered"
        assert (world.medium.entries, world.system.dead_letters.counts) == ({}, {})
        assert heard(world, PERSON) == ["one"]


def test_a_text_that_is_followed_is_lost_with_its_session() -> None:
    """K8: the new session hears nothing of it."""
    with MortalWorld() as world:
        world.start()
        world.app.send_message(to_number=PERSON, from_number=OTHER, body="one")
        world.run(0.03)
        world.dies()
        world.sim.forget_sessions()
        world.lives_again()
        world.run(10.0)
        assert world.count("messages.lost") == 1
        assert (world.app._running().texts(), world.medium.entries) == ([], {})


def test_texts_of_unknown_outcome_that_say_the_same_are_told_apart_by_their_ids() -> None:
    """Each event that shows one of them shows that one only."""
    with MortalWorld() as world:
        world.sim.stop_answering("messaging.send", but_do_it=True)
        world.start()
        for _ in range(3):
            world.app.send_message(to_number=PERSON, from_number=OTHER, body="one")
        world.run(0.1)
        world.dies()
        world.sim.resume_answering("messaging.send")
        world.lives_again()
        world.run(10.0)
        assert heard(world, PERSON) == ["one"] * 3
        assert (world.count("messages.unknown"), world.medium.entries) == (0, {})


def test_a_process_that_sends_texts_may_die_before_and_after_every_commit_and_every_write() -> None:
    """At most once, and told of if it is not known; what nobody had written down nobody was promised. J5, K6."""

    def send(world: MortalWorld, dies_at: int | None = None) -> int:
        world.start()
        begun_at = world.places
        world.dies_at = None if dies_at is None else begun_at + dies_at
        world.app.send_message(to_number=PERSON, from_number=OTHER, body="one")
        world.live(LONG_ENOUGH_S)
        got = heard(world, PERSON)
        assert got in ([], ["one"])
        assert dies_at == 1 or got or world.count("messages.unknown") == 1
        assert not world.medium.entries
        return world.places - begun_at

    with MortalWorld() as world:
        count = send(world)
    for place in some_of(range(1, count + 1), 9):
        with MortalWorld() as world:
            send(world, place)
            assert world.deaths == 1
