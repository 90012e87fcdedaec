"""Calls that ask a service, which asks a person: the answer comes when the head waiter has found the time."""

from dataclasses import dataclass

from relay_actors import Actor, ActorRef, AskTimeout, CallActor, PipeFailed, RelayApp, ReplyToken
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent

app = RelayApp()

PATIENCE_S = 20.0


@dataclass(frozen=True)
class TableFor:
    """Asked of the desk: is there a table for so many? The answer is a `Table`."""

    persons: int


@dataclass(frozen=True)
class Table:
    """The answer."""

    number: int


@dataclass(frozen=True)
class HowManyWait:
    """Asked of the desk; it knows at once."""


@dataclass(frozen=True)
class TakeNext:
    """The head waiter gives a table to whoever has waited longest."""

    table: int


class FrontDesk(Actor):
    """Takes the questions of guests, and answers each when the head waiter has decided."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[ReplyToken] = []

    def on_receive(self, message: object) -> object:
        """What it returns is the answer, unless it has taken a token: then that one is good for an answer later."""
        self.waiting = [guest for guest in self.waiting if guest.is_awaited]  # the others have given up
        match message:
            case TableFor(persons=persons) if persons > 8:
                raise ValueError(f"no table for {persons}")
            case TableFor():
                self.waiting.append(self.reply_later())
                return None
            case HowManyWait():
                return len(self.waiting)
            case TakeNext(table=table) if self.waiting:
                return self.reply_to(self.waiting.pop(0), Table(table))
            case TakeNext():
                return False
            case _:
                return super().on_receive(message)


app.service(FrontDesk, name="desk")


def desk() -> ActorRef[FrontDesk]:
    """Whom to ask. It is restarted when it fails, and stays the same for who asks."""
    ref = app.lookup("desk")
    if ref is None:
        raise LookupError("the desk has closed")
    return ref


@app.calls("guests")
class Guest(CallActor):
    """Asks in a flow: only the flow waits, and the caller may hang up meanwhile."""

    async def run(self) -> None:
        """An answer, a refusal, or none in time: three different things to say."""
        await self.answer()
        menu = self.prompt_tts("For how many?", {"digits": {"max": 2, "terminators": "#"}})
        persons = int((await menu.wait()).digits)
        try:
            table = await desk().ask(TableFor(persons), block=False, timeout=PATIENCE_S)
        except AskTimeout:
            await self.play_tts("Nobody has time for you now.").wait()
        except ValueError:
            await self.play_tts("You are too many for us.").wait()
        else:
            await self.play_tts(f"Table {table.number} is yours.").wait()


@app.calls("regulars")
class Regular(CallActor):
    """The same, message by message: the answer is one more thing that it receives."""

    def on_receive(self, message: object) -> None:
        """Whatever becomes of the question, exactly one message comes of it."""
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.prompt_tts("The usual table?", {"digits": {"max": 1}})
            case CollectEvent(digits="1"):
                self.pipe_to_self(desk().ask(TableFor(2), block=False, timeout=PATIENCE_S))
            case Table(number=number):
                self.hangup(after=self.play_tts(f"See you at table {number}."))
            case PipeFailed():
                self.hangup(after=self.play_tts("Not today."))
            case _:
                super().on_receive(message)


def guests_in_line() -> int:
    """Ask from a thread, for example of a web server: there one may simply wait."""
    waiting: int = desk().ask(HowManyWait())
    return waiting


if __name__ == "__main__":
    app.run()
