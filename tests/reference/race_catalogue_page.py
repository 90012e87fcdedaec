"""The page of the race catalogue: each race, where it is known, what must hold, and what it needs to happen."""

from __future__ import annotations

from relay_actors.testing.chaos.catalogue import CATALOGUE
from relay_actors.testing.chaos.deeds import DEEDS
from relay_actors.testing.chaos.moments import parse_moment
from relay_actors.testing.chaos.races import Race
from tests.reference.markdown import code, join, table

INTRODUCTION = """\
The races that are named in the field's trackers and specifications, and in what this project knows of the protocol.
Each is a scenario with a name and a seed that any application can be run against, among callers, texters and called
people who are drawn from what the application's own code understands:

```console
$ relay-actors chaos front_desk:app --catalogue
$ relay-actors chaos front_desk:app --catalogue ended-twice --seed 3
$ relay-actors chaos --catalogue list
```

The table that is printed tells how often each race was tried and how often it *really happened*, which is read off the
frames that crossed the wire. One that did not is said to be not reached: an application that never dials has no late
winners, and one that does may have missed the moment in so many runs. After every step the
[invariants](../how-to/run-thousands-of-seeds.md) are checked; a run that breaks one is reduced, and written to a file
by which `--replay` repeats it. The suite runs all of them against an application to which every one can happen
(`tests/testing/chaos/test_catalogue.py`).

*What must hold* names [guarantees](guarantees.md) by their codes."""

MOMENTS = """\
A plan that is written by hand, or saved by `--save`, may have mishaps of its own at such moments: `on` is a moment in
words, `nth` says which of them, `after` how many seconds later. What befalls the wire (a fault of the simulator, by its
text) strikes before anything comes of the frame; what people do happens at the same moment, in an order that a lot
decides."""

KINDS = {
    "sending calling.call.state answered": "such an event has come to be, and nothing has befallen it yet",
    "sent calling.call.play finished": "it crosses the wire",
    "received calling.play": "the server is given such a request, and has not done it yet",
    "answered calling.play": "its answer crosses",
    "acknowledged calling.call.receive": "the client's acknowledgement of such an event arrives",
    "kept calling.play": "the journal has the intent of such a command, or such an event, for good",
}


def page() -> str:
    """The whole page."""
    moments = [(code(moment), means) for moment, means in KINDS.items() if parse_moment(moment)]
    deeds = [(code(" ".join([name, *(f"{each}=…" for each in args)])),) for name, (args, _act) in DEEDS.items()]
    return join(
        "# Race catalogue",
        INTRODUCTION,
        table(
            ("Race", "What happens"),
            [(f"[{code(race.name)}](#{race.name})", race.what_happens) for race in CATALOGUE.values()],
        ),
        "## The races",
        *(section(race) for race in CATALOGUE.values()),
        "## Moments and deeds",
        MOMENTS,
        table(("Moment", "When it is"), moments),
        "What people can do, at the end of the call at hand or as far as they are on the phone:",
        table(("Deed",), deeds),
    )


def section(race: Race) -> str:
    """What there is to say about one race."""
    needs = f"{race.needs}{' (or `--journal`)' if race.needs_journal else ''}"
    return "\n\n".join(
        (
            f"### {race.name}",
            race.what_happens,
            f"* **Known from**: {race.where_known}\n* **What must hold**: {race.promise}\n* **Needs**: {needs}",
        )
    )
