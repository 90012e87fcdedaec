"""A survey by telephone: a list of numbers is called, a few at a time, and one actor knows how far it is."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from relay_actors import CallActor, CallHandle, Down, RelayApp, ServiceActor
from relay_actors.params import digits, phone

app = RelayApp()

NUMBER = "+15550100100"
AT_ONCE = 2


@dataclass(frozen=True)
class CallThem:
    """Call these people, too."""

    numbers: tuple[str, ...]


@dataclass(frozen=True)
class CallNobodyElse:
    """The application is being shut down: calls that are up go on."""


@dataclass(frozen=True)
class WhatIsKnown:
    """What has come of it so far? The answer is a dictionary, by number."""


class Question(CallActor):
    """One call. It knows nothing of the others."""

    async def run(self) -> None:
        """Begins when somebody has answered."""
        prompt = self.prompt_tts("Did you like our boats? Press 1 for yes, and 2 for no.", digits(max=1))
        self.data["answer"] = (await prompt.wait()).digits
        await self.play_tts("Thank you. Goodbye.").wait()


class Survey(ServiceActor):
    """Dials. Each call that is over, however it came to that, makes room for the next one."""

    def __init__(self, at_once: int) -> None:
        super().__init__()
        self.at_once = at_once
        self.waiting: deque[str] = deque()
        self.calls: dict[object, CallHandle] = {}  # by the refs of their actors
        self.results: dict[str, str] = {}

    def on_receive(self, message: object) -> dict[str, str] | None:
        """`Down` is told of every call that is watched: answered, failed or crashed."""
        match message:
            case CallThem(numbers=numbers):
                self.waiting.extend(numbers)
            case CallNobodyElse():
                self.waiting.clear()
            case Down(ref=ref) if ref in self.calls:
                call = self.calls.pop(ref)
                self.results[call.data["number"]] = call.data.get("answer") or call.end_reason
            case WhatIsKnown():
                return dict(self.results)
            case _:
                super().on_receive(message)
        self.dial()
        return None

    def dial(self) -> None:
        """Call as many people as may be on the phone at once."""
        while self.waiting and len(self.calls) < self.at_once:
            number = self.waiting.popleft()
            call = self.app.dial(Question, phone(to=number, from_=NUMBER, timeout=25), number=number)
            self.calls[call.ref] = call
            self.watch(call.ref)


def tell_survey(message: object) -> None:
    """Tell it something, wherever it is."""
    survey = app.lookup("survey")
    if survey is None:
        raise RuntimeError("the survey is being restarted: try again")
    survey.tell(message)


def ask_people(numbers: Iterable[str]) -> None:
    """Call all of them, one after the other as there is room; returns at once, from any thread."""
    tell_survey(CallThem(tuple(numbers)))


def results() -> dict[str, str]:
    """Return the answers, by number; of who gave none, why the call ended. From a thread that may wait."""
    survey = app.lookup("survey")
    return survey.ask(WhatIsKnown(), timeout=5.0) if survey is not None else {}


app.service(Survey, AT_ONCE, name="survey")
app.on_shutdown("stop_intake", lambda: tell_survey(CallNobodyElse()))


if __name__ == "__main__":
    app.run()
