"""What the actors of a program send."""

from dataclasses import dataclass

__all__ = ["Envelope", "Piped", "Tick"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message with a number, and who sent it as which of his messages to this receiver."""

    number: int
    sender: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer's message; ``generation`` counts the timers of this actor with this key."""

    key: int
    generation: int


@dataclass(frozen=True, slots=True)
class Piped:
    """What a pipe brings: which one, and for which incarnation."""

    number: int
    incarnation: int
