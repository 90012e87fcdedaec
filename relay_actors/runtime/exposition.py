"""Numbers as Prometheus reads them: its text format 0.0.4. Layer: pillar. Pure.

Not by ``prometheus_client``: that keeps numbers of its own, in a registry of the process, while ours belong to systems
(SEMANTICS L10) and are counted already. What is left is this text.

Source: Prometheus, "Exposition formats".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from relay_actors.runtime.metrics import Metric

__all__ = ["CONTENT_TYPE", "exposed_name", "exposition"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX: Final = "relay_actors_"
_NO_PART_OF_A_NAME: Final = re.compile(r"[^a-zA-Z0-9_]")
_PARTS_WORDS: Final = ".-/: "


def exposed_name(name: str, metric: Metric) -> str:
    """Return what Prometheus calls a number: ``calls.received`` is ``relay_actors_calls_received_total``.

    What may not stand in a name is ``_`` if it parts words, and otherwise the hexadecimal number of the character
    between two of these: ``menu.#`` and ``menu.*`` are two numbers.
    """
    exposed = _PREFIX + re.sub(_NO_PART_OF_A_NAME, lambda found: _instead_of(found[0]), name)
    return f"{exposed}_total" if metric.kind == "counter" and not exposed.endswith("_total") else exposed


def exposition(numbers: Mapping[str, Any], table: Mapping[str, Metric]) -> str:
    """Return the text.

    Args:
        numbers: as `metrics_of` gives them.
        table: what they are; a number that is not in it is a counter of the application's own.
    """
    told: dict[str, tuple[Metric, Any]] = {}
    for name in sorted(numbers, key=lambda name: name not in table):  # the application's own behind all others
        metric = table.get(name) or Metric("counter", f"Counted by the application as {name}.")
        exposed, value = exposed_name(name, metric), numbers[name]
        if exposed in told and told[exposed][0].label:
            exposed = exposed_name(f"own.{name}", metric)
        if exposed in told:  # two names that are one for Prometheus: none may come twice
            metric, other = told[exposed]
            value += other
        told[exposed] = metric, value
    lines: list[str] = []
    for exposed, (metric, value) in told.items():
        lines.append(f"# HELP {exposed} {_escaped(metric.help)}")
        lines.append(f"# TYPE {exposed} {metric.kind}")
        lines.extend(_samples(exposed, metric, value))
    return "".join(f"{line}\n" for line in lines)


def _instead_of(character: str) -> str:
    return "_" if character in _PARTS_WORDS else f"_{ord(character):x}_"


def _samples(exposed: str, metric: Metric, value: Any) -> Iterator[str]:
    if not metric.label:
        yield f"{exposed} {_number(value)}"
        return
    for label, each in value.items():
        told = f'{metric.label}="{_escaped(str(label), quotes=True)}"'
        if metric.kind != "histogram":
            yield f"{exposed}{{{told}}} {_number(each)}"
            continue
        for bound, count in each["buckets"].items():
            yield f'{exposed}_bucket{{{told},le="{_number(bound)}"}} {count}'
        yield f'{exposed}_bucket{{{told},le="+Inf"}} {each["count"]}'
        yield f"{exposed}_sum{{{told}}} {_number(each['sum'])}"
        yield f"{exposed}_count{{{told}}} {each['count']}"


def _escaped(text: str, *, quotes: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quotes else escaped


def _number(value: float) -> str:
    return repr(float(value)) if isinstance(value, float) else str(int(value))
