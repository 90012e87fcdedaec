"""Calls that a new process goes on with: effects, time, chance, data, other actors, and code that has changed."""

from relay_actors import ActionCompleted, Actor, CallActor, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent
from relay_actors.params import digits, phone

app = RelayApp(journal="durable_flows.db")

OFFICE = "+15550100100"
BOOKED: dict[str, int] = {}
TEXTS = {"question": "Which table?"}
FAULTS: list[Exception] = []


def book(table: int, *, key: str) -> int:
    """Book a table in a system that knows by the key what it has been asked for already."""
    return BOOKED.setdefault(key, table)


@app.calls("effects")
class Booking(CallActor):
    """Changes something outside of the call, once."""

    async def run(self) -> None:
        """The call's id is a key that is the same when the flow is run again."""
        await self.answer()
        asked = await self.prompt_tts("Which table?", digits(max=2)).wait()
        booked = await self.side_effect(book, int(asked.digits), key=self.call_id)
        await self.play_tts(f"Table {booked} is yours. Please hold.").wait()
        await self.sleep(1.0)
        await self.play_tts("Goodbye.").wait()


@app.calls("chance")
class Raffle(CallActor):
    """Decides by the time and by chance."""

    async def run(self) -> None:
        """Both are the same when the flow is run again."""
        await self.answer()
        is_morning = self.now() % 86_400 < 43_200
        ticket = self.random.randrange(1_000_000)
        await self.play_tts(f"Good {'morning' if is_morning else 'evening'}. Ticket {ticket}.").wait()
        await self.sleep(1.0)
        await self.play_tts(f"Once more, ticket {ticket}.").wait()


class Clerk(Actor):
    """A service: it is not in the journal, and begins anew with each process."""

    def on_start(self) -> None:
        """Nothing is open."""
        self.orders: list[str] = []

    def on_receive(self, message: object) -> int:
        """Note an order, and tell which number it has."""
        self.orders.append(str(message))
        return len(self.orders)


app.service(Clerk, name="clerk")


@app.calls("others")
class Ordering(CallActor):
    """Speaks to another actor, has somebody called, and sends a text."""

    async def run(self) -> None:
        """All of it is done once, and what comes back is that of then."""
        await self.answer()
        clerk = self.app.lookup("clerk")
        assert clerk is not None
        number: int = await clerk.ask(f"soup for {self.from_number}", block=False)
        cook = self.app.dial(Cook, phone(to="+15550100200", from_=OFFICE), number=number)
        self.app.send_message(to_number=self.from_number, from_number=OFFICE, body=f"You have number {number}.")
        await self.play_tts(f"Number {number} is being cooked. Please hold.").wait()
        await cook.wait_for_ended()
        await self.sleep(1.0)
        await self.play_tts(f"Number {number} is ready.").wait()


class Cook(CallActor):
    """Is told what to do; its data came with the dial, and are in the journal with it."""

    async def run(self) -> None:
        """It begins when the cook has answered."""
        await self.play_tts(f"Soup, number {self.data['number']}.").wait()


@app.calls("handler")
class Waking(CallActor):
    """The same message by message: a handler has its data and its durable timers."""

    def on_receive(self, message: object) -> None:
        """Where it is stands in ``self.data``, not in an attribute."""
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.data["said"] = "now"
                self.play_tts("I call you back in a moment. Do not hang up.")
            case ActionCompleted() if self.data["said"] == "now":
                self.data["said"] = "nothing"
                self.start_timer("wake", "wake up", 1.0, durable=True)
            case "wake up":
                self.data["said"] = "all"
                self.play_tts("It is time.")
            case ActionCompleted() if self.data["said"] == "all":
                self.hangup()


@app.calls("changing")
class Changing(CallActor):
    """Is deployed anew while people are on the phone, with another first question."""

    on_flow_changed = "restart"

    async def run(self) -> None:
        """What comes after the place where it was may change at will; what comes before may not."""
        await self.answer()
        if self.flow_changed is not None:
            await self.play_tts("Sorry, we have to begin again.").wait()
        asked = await self.prompt_tts(TEXTS["question"], digits(max=2)).wait()
        await self.play_tts(f"Table {asked.digits}. Please hold.").wait()
        await self.sleep(1.0)
        await self.play_tts("Goodbye.").wait()


@app.calls("crashing")
class Tasting(CallActor):
    """Crashes once, and goes on where it was: nobody hears anything twice."""

    restart_flow = "where_it_was"

    async def run(self) -> None:
        """What has been said is not said again."""
        await self.answer()
        await self.play_tts("Today we have soup.").wait()
        if FAULTS:
            raise FAULTS.pop()
        await self.play_tts("It is very good.").wait()
