"""Work that is shared: a pool of clerks who look things up, and a pool of tellers of whom each knows some callers."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

from relay_actors import Actor, CallActor, Pool, RelayApp
from relay_actors.params import digits

app = RelayApp()

DATABASE = "stock.db"


@dataclass(frozen=True)
class HowMany:
    """How many are there of an article? The answer is a number."""

    article: str


@dataclass(frozen=True)
class Visit:
    """Somebody calls. The answer is how often they have called."""

    number: str


class Clerk(Actor):
    """Asks the database, which blocks: so each clerk has a thread of its own, and there are only a few of them."""

    dispatcher = "pinned"

    def on_receive(self, message: object) -> int | None:
        """One question at a time; the next one waits, or goes to another clerk."""
        match message:
            case HowMany(article=article):
                with closing(sqlite3.connect(DATABASE)) as connection:
                    row = connection.execute("SELECT number FROM stock WHERE article = ?", (article,)).fetchone()
                return int(row[0]) if row else 0
        return None


class Teller(Actor):
    """Knows its callers. The same caller always comes to the same teller, so nobody else has to know."""

    def __init__(self) -> None:
        super().__init__()
        self.visits: Counter[str] = Counter()

    def on_receive(self, message: object) -> int | None:
        """Visits of one caller are counted one after the other, as they came."""
        match message:
            case Visit(number=number):
                self.visits[number] += 1
                return self.visits[number]
        return None


# [services]
app.service(Pool, Clerk, size=4, routing="least_busy", name="clerks")
app.service(Pool, Teller, size=3, routing="consistent_hash", key=lambda visit: visit.number, name="tellers")
# [/services]


@app.calls("stock")
class StockLine(CallActor):
    """A call that asks both pools, as it would ask one actor."""

    async def run(self) -> None:
        """The flow waits for an answer; the call does not."""
        await self.answer()
        clerks, tellers = self.app.lookup("clerks"), self.app.lookup("tellers")
        assert clerks
        assert tellers
        visits = await tellers.ask(Visit(self.from_number), block=False)
        prompt = self.prompt_tts(f"This is call number {visits}. Press the number of an article.", digits(max=3))
        article = (await prompt.wait()).digits
        number = await clerks.ask(HowMany(article), block=False)
        await self.play_tts(f"We have {number} of article {article}.").wait()


if __name__ == "__main__":
    app.run()
