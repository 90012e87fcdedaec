"""Unit tests of single actors, `support_menu`'s among them: no server, no people on the phone, and no waiting."""

from dataclasses import dataclass
from typing import Any

from support_menu import Sales, Support

from relay_actors import Actor, ActorRef
from relay_actors.commands import Answer, Connect, Hangup, Play, PlayAndCollect, Transfer
from relay_actors.events import ConnectEvent
from relay_actors.testing import CallKit, TestProbe, no_leaks


def test_one_is_for_sales() -> None:
    """What happens to the call, and which commands follow."""
    with CallKit(Support) as kit:
        kit.arrives(context="support", from_number="+15550001111")
        kit.expect(Answer)
        kit.answered()
        kit.expect(PlayAndCollect)
        kit.presses("1")
        assert kit.expect(Transfer).dest == "context:sales"


def test_an_order_is_read_back_after_the_talk() -> None:
    """A flow is tested in the same way: it goes on when what it waits for happens."""
    with CallKit(Sales) as kit:
        kit.arrives()
        kit.expect(Answer)
        kit.answered()
        kit.expect(PlayAndCollect)
        kit.presses("4711", terminator="#")
        assert kit.data["order"] == "4711"
        kit.expect(Connect)
        kit.receives(ConnectEvent, connect_state="connected")
        kit.receives(ConnectEvent, connect_state="disconnected")
        goodbye = kit.expect(Play)
        assert "4711" in str(goodbye.media)
        kit.completes(goodbye)


def test_a_caller_is_hung_up_when_nothing_can_be_played() -> None:
    """The server refuses the prompt, each time that the class begins anew, until the call is given up."""
    with CallKit(Sales) as kit:
        for _attempt in range(4):
            kit.rejects_next(PlayAndCollect, "500")
        kit.arrives()
        kit.answered()
        kit.fish(Hangup)
        assert len(kit.crashes) == 4


def test_a_silent_caller_is_waited_for_thirty_seconds() -> None:
    """In virtual time, so that it takes none."""
    with CallKit(Sales) as kit:
        kit.arrives()
        kit.answered()
        kit.expect_in_order(Answer, PlayAndCollect)
        kit.expect_no_command(for_s=29.0)
        kit.fish(PlayAndCollect, within=2.0)
        assert isinstance(kit.crashes[0], TimeoutError)


@dataclass(frozen=True)
class Who:
    """Somebody wants to be told a number."""

    name: str
    reply_to: ActorRef[Any]


class Switchboard(Actor):
    """Looks numbers up in a directory, which is an actor, too."""

    def __init__(self, directory: ActorRef[Any]) -> None:
        super().__init__()
        self.directory = directory

    def on_receive(self, message: object) -> None:
        """Ask, and tell."""
        match message:
            case Who(name=name, reply_to=reply_to):
                reply_to.tell(self.directory.ask(name, timeout=2.0))
            case _:
                super().on_receive(message)


@no_leaks()
def test_a_number_is_looked_up() -> None:
    """Probes stand where its neighbours would: one answers its question, the other is told the number."""
    with TestProbe() as directory, TestProbe() as customer:
        directory.replies_with({"Ann": "+15550100101"}.get)
        switchboard = Switchboard.start(directory.ref)
        with customer.within(5.0):
            switchboard.tell(Who("Ann", customer.ref))
            directory.expect("Ann")
            customer.expect("+15550100101")
        customer.watch(switchboard)
        switchboard.stop()
        customer.expect_down(switchboard, reason="normal")
