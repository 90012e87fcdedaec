"""A call centre: a queue of our own, and agents who are supervised services. A bug in any of them loses no caller."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from relay_actors import Actor, ActorRef, CallActor, Child, Down, RelayApp, Supervisor, WatchedRestarted
from relay_actors.events import ConnectEvent
from relay_actors.params import phone

MUSIC, BREAK_S = "https://example.com/music.mp3", 30.0
TEAM = {"anna": "+15550100201", "boris": "+15550100202"}

app = RelayApp()


@dataclass(frozen=True)
class Waiting:
    """A caller waits. One who waits again has the old place."""

    call: ActorRef[Any]


@dataclass(frozen=True)
class Free:
    """An agent can take a call."""

    agent: ActorRef[Any]


@dataclass(frozen=True)
class Serve:
    """To an agent: this caller is yours."""

    call: ActorRef[Any]


@dataclass(frozen=True)
class Talk:
    """To a caller: this agent will answer."""

    agent: ActorRef[Any]
    number: str


@dataclass(frozen=True)
class Over:
    """To an agent: the caller needs you no more, or got no answer."""

    answered: bool


class Queue(Actor):
    """Brings together who waits and who is free. It may crash and forget everything: those it knew watch it."""

    def __init__(self) -> None:
        super().__init__()
        self.callers: deque[Any] = deque()
        self.agents: deque[Any] = deque()

    def on_receive(self, message: Any) -> None:
        """Note who has come or gone, and then see who can talk to whom."""
        match message:
            case Waiting(call=ref) if ref not in self.callers:
                self.watch(ref)
                self.callers.append(ref)
            case Free(agent=ref) if ref not in self.agents:
                self.watch(ref)
                self.agents.append(ref)
            case Down(ref=ref):
                for line in (self.callers, self.agents):
                    if ref in line:
                        line.remove(ref)
        while self.callers and self.agents:
            self.agents.popleft().tell(Serve(self.callers.popleft()))


class Agent(Actor):
    """One person of the team: has a telephone, and takes one call at a time."""

    def __init__(self, number: str) -> None:
        super().__init__()
        self.number = number
        self.queue: Any = self.system.find(("service", "queue"))
        self.serves: ActorRef[Any] | None = None

    def on_start(self) -> None:
        """Ready for work: in the morning, and after every crash."""
        self.watch(self.queue, on_restart=True)
        self.is_free()

    def on_receive(self, message: Any) -> None:
        """Take a call until it is over, or gone; who has not answered gets a break."""
        match message:
            case Serve(call=call):
                self.serves = call
                self.watch(call)
                call.tell_if_alive(Talk(self.actor_ref, self.number))
            case Over(answered=False):
                self.start_timer("break", "back from the break", BREAK_S)
            case Over() | "back from the break":
                self.is_free()
            case Down(ref=ref) if ref == self.serves:
                self.is_free()
            case WatchedRestarted() if self.serves is None:
                self.is_free()

    def is_free(self) -> None:
        """Tell the queue, whichever incarnation of it is there."""
        self.serves = None
        self.queue.tell_if_alive(Free(self.actor_ref))


# The team: each agent is restarted alone, for a bug at one desk is no business of the others.
app.service(Queue, name="queue")
app.service(
    Supervisor, [Child(id=name, actor_class=Agent, args=(number,)) for name, number in TEAM.items()], name="team"
)


@app.calls("service")
class Caller(CallActor):
    """Waits with music until somebody has time, and is passed on to the next one if that one does not answer."""

    async def run(self) -> None:
        """From the first word to the last."""
        await self.answer()
        await self.play_tts("All our agents are busy. Please hold the line.").wait()
        queue: Any = self.app.lookup("queue")
        self.watch(queue, on_restart=True)  # one that was restarted has forgotten us
        music = await self.play_audio(MUSIC)
        while True:
            queue.tell(Waiting(self.actor_ref))
            found = await self.next(Talk, WatchedRestarted)
            if isinstance(found, Talk) and await self.talk_to(found):
                break
        await music.stop()
        await self.play_tts("Thank you for calling.").wait()

    async def talk_to(self, found: Talk) -> bool:
        """Bring the two together, until the agent hangs up; return whether they have talked."""
        await self.connect(phone(to=found.number, from_=self.to_number))
        over = await self.next(ConnectEvent, where=lambda event: event.connect_state in ("failed", "disconnected"))
        has_talked: bool = over.connect_state == "disconnected"
        found.agent.tell(Over(answered=has_talked))
        return has_talked


if __name__ == "__main__":
    app.run()
