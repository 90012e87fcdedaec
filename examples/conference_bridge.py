"""A conference line: members wait for the chair, may leave, and are told when the chair has ended it."""

from relay_actors import ActionCompleted, CallActor, RelayApp
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, ConferenceEvent
from relay_actors.params import digits

app = RelayApp()

CHAIR, MEMBER = "1111", "2222"
BOARD = "board"


@app.calls("conference")
class Participant(CallActor):
    """One call in the conference; who is the chair is known by the PIN."""

    def on_receive(self, message: object) -> None:
        """The star leaves; the others stay."""
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.prompt_tts("Your PIN, please.", digits(max=4))
            case ActionCompleted(event=CollectEvent(digits=pin)) if "is_chair" not in self.data:
                self.enter(pin)
            case ConferenceEvent(status="participant-join", conference_id=conference_id):
                self.data["conference_id"] = conference_id
            case CollectEvent(digits="*") if "conference_id" in self.data:
                self.leave_conference(self.data["conference_id"])
                self.hangup(after=self.play_tts("You have left the conference."))
            case ConferenceEvent(status="conference-end"):
                self.hangup(after=self.play_tts("The conference is over."))
            case _:
                super().on_receive(message)

    def enter(self, pin: str) -> None:
        """Join, with the rights of the PIN."""
        if pin not in (CHAIR, MEMBER):
            self.hangup(after=self.play_tts("That is no PIN of ours."))
            return
        is_chair = self.data["is_chair"] = pin == CHAIR
        self.join_conference(BOARD, start_on_enter=is_chair, end_on_exit=is_chair, beep="onEnter", max_participants=20)
        self.collect(digits=digits(max=1), continuous=True, initial_timeout=0)


if __name__ == "__main__":
    app.run()
