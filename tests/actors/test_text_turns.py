"""What the handler of an inbound text begins has the same names whenever it is run again."""

from __future__ import annotations

from relay_actors import MessageActor
from relay_actors.actors.text_turns import TextTurn, cause_of, text_turn
from tests.actors.world import CALLER, CONTEXT, World


def test_what_a_handler_begins_is_named_after_its_text_and_counted() -> None:
    """So that it is found in the journal by a handler that is run again."""
    first, again = TextTurn("m:1"), TextTurn("m:1")
    names = [first.next_name() for _ in range(3)]
    assert names == ["text:m:1:1", "text:m:1:2", "text:m:1:3"]
    assert [again.next_name() for _ in range(3)] == names
    assert [cause_of(name) for name in names] == ["m:1"] * 3


def test_what_no_handler_has_begun_has_no_cause() -> None:
    """Texts from elsewhere are named by chance, and dials as anybody likes."""
    assert [cause_of(name) for name in ("text:b8f0", "reminder:17:1", "")] == ["", "", ""]


def test_a_turn_is_found_in_the_turns_of_its_text_only(world: World) -> None:
    """What is done elsewhere, in a thread or a listener, is in no order that could be found again."""
    seen: list[TextTurn | None] = []

    class Inbox(MessageActor):
        async def on_receive(self, message: object) -> None:
            seen.append(text_turn())
            text = self.reply("one")
            text.on(lambda _event: seen.append(text_turn()))
            await text.wait(timeout=5)
            seen.append(text_turn())

    world.app.messages(CONTEXT)(Inbox)
    world.start()
    world.sim.phone(CALLER).texts("Hi", context=CONTEXT)
    world.run(5)
    before, *others, after = seen
    assert isinstance(before, TextTurn)
    assert before is after
    assert set(others) == {text_turn()} == {None}
