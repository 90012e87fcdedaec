"""An application that sends a command on calls that have ended, and prints something when it is called."""

from __future__ import annotations

from relay_actors import CallActor, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent

app = RelayApp(name="unsound")


@app.calls("menu")
class Stubborn(CallActor):
    """Answers a call that is over."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallStateEvent(call_state="ended"):
                self.start_timer("late", "late", 0.5)
            case "late":
                self.app.execute("calling.answer", {"node_id": self.node_id, "call_id": self.call_id})
            case CallReceiveEvent():
                print("not shown")  # noqa: T201  # but where one run is told in full
                self.answer()
