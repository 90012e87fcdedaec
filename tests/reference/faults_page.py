"""The page of the faults: each with its arguments, from the table that everything reads which injects them."""

from __future__ import annotations

from relay_actors.simulator.fault_draws import LONGEST_S
from relay_actors.simulator.fault_table import FAULT_WORDS, Argument
from relay_actors.simulator.fault_words import parse_fault
from tests.reference.markdown import code, join, table

EXAMPLE = "reject method=calling.play code=503 times=2"

INTRODUCTION = f"""\
What the simulator can be told to do wrong, by name. `relay_sim.inject("{EXAMPLE}")` says it as text,
`relay_sim.inject("reject", method="calling.play", code=503, times=2)` as arguments, and

```json
{{fault}}
```

as JSON. A value with a blank in it is quoted as in a shell; flags are `yes` and `no`; `none` stands for what has no
end. Seconds are those of the clock. A misspelt name is refused, and the error says which one was probably meant.
`relay_sim.recover()` lets everything go well again: what was held up crosses, and what has not gone wrong yet does not.
"""

DRAWN = f"""\
`random_fault` draws one of them from a seed, with arguments from which a correct client recovers; what lasts, lasts
{LONGEST_S:g} seconds at most. Where *calls are lost* is not empty, the client's session ends, and with it all that it
knows of its calls; `random_fault` leaves these out when it is told `ends_sessions=False`."""


def page() -> str:
    """The whole page."""
    example = str(parse_fault(EXAMPLE).to_json()).replace("'", '"')
    rows = [
        (
            code(word.name),
            word.meaning,
            code(f"Simulator.{word.calls}"),
            ("if `keeps_sessions=no`" if word.name == "restart" else "yes") if word.ends_session else "",
        )
        for word in FAULT_WORDS.values()
    ]
    arguments = [
        (code(word.name), code(argument.name), _kind(argument), _default(argument), argument.meaning)
        for word in FAULT_WORDS.values()
        for argument in word.arguments
    ]
    return join(
        "# Faults",
        INTRODUCTION.replace("{fault}", example).strip(),
        table(("Fault", "What goes wrong", "Done by", "Calls are lost"), rows),
        DRAWN,
        "## Arguments",
        table(("Fault", "Argument", "What it is", "If left out", "Meaning"), arguments),
    )


def _kind(argument: Argument) -> str:
    return ", ".join(map(code, argument.choices)) if argument.choices else argument.kind


def _default(argument: Argument) -> str:
    if argument.is_required:
        return "must be given"
    default = argument.default
    if isinstance(default, bool):
        return "`yes`" if default else "`no`"
    if default in (None, ""):
        return "`none`" if default is None else ""
    return code(f"{default:g}" if isinstance(default, float) else default)
