"""An actor for which messages come too early, and one that notices when nobody speaks to it. No telephone."""

import threading

from relay_actors import Actor, ReceiveTimeout


class Database(Actor):
    """Takes a moment to connect: questions that come before are put aside, and answered in their order."""

    stash_capacity = 100

    def on_start(self) -> None:
        """Say when it will be ready; a real one would be told by its driver."""
        self.is_ready = False
        self.start_timer("connecting", "connected", 0.1)

    def on_receive(self, message: object) -> str | None:
        """What is returned after `stash` is no answer: who has asked goes on waiting."""
        match message:
            case "connected":
                self.is_ready = True
                self.unstash_all()
            case str() if not self.is_ready:
                self.stash()
            case str():
                return message.upper()
        return None


class Meter(Actor):
    """Counts by a timer that a restart leaves alone, and goes home when nobody has spoken to it for a while."""

    def __init__(self, is_gone: threading.Event) -> None:
        """Say who is to be told."""
        super().__init__()
        self.is_gone = is_gone

    def on_start(self) -> None:
        """A receive time-out is not put off by the actor's own ticks, unless they are started to do so."""
        self.ticks = 0
        self.start_timer("beat", "tick", 0.05, interval_s=0.05, repeat="fixed_rate", burst=0, durable=True)
        self.set_receive_timeout(0.3)

    def on_receive(self, message: object) -> int | None:
        """Every message comes here: ticks, questions, and the silence."""
        match message:
            case "tick":
                self.ticks += 1
            case "how many?":
                return self.ticks
            case ReceiveTimeout():
                print("nobody asks any more, after", "some" if self.ticks >= 3 else "few", "ticks")
                self.is_gone.set()
                self.stop()
        return None


def main() -> None:
    """Ask before there can be an answer; then say nothing."""
    database = Database.start()
    answers = [database.ask(word, block=False) for word in ("early", "early as well")]
    print([answer.get(timeout=5.0) for answer in answers])
    print(database.ask("late", timeout=5.0))
    database.stop()

    is_gone = threading.Event()
    meter = Meter.start(is_gone)
    print("ticks at first:", meter.ask("how many?", timeout=5.0))
    is_gone.wait(5.0)


if __name__ == "__main__":
    main()
