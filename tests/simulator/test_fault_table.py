"""The table of faults fits the simulator's methods, one by one."""

from __future__ import annotations

import inspect

import pytest

from relay_actors.simulator.fault_table import FAULT_WORDS, REQUIRED
from relay_actors.simulator.simulator import Simulator

DIFFERENT_DEFAULTS = {("time_out", "times"), ("wrong_field", "becomes")}
"""A fault that is ordered by its name is one fault, where the method goes on until it is told otherwise."""


@pytest.mark.parametrize("word", FAULT_WORDS.values(), ids=lambda word: word.name)
def test_a_fault_has_the_arguments_and_defaults_of_the_method_that_does_it(word):
    parameters = inspect.signature(getattr(Simulator, word.calls)).parameters
    arguments = {argument.name: argument for argument in word.arguments}
    given = [*arguments, *word.fixed]

    assert set(given) <= set(parameters), "the method takes them"
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty:
            assert name == "self" or name in given, f"{name} must be given"
    for name, argument in arguments.items():
        if not argument.is_required and (word.name, name) not in DIFFERENT_DEFAULTS:
            default = parameters[name].default
            assert default in (argument.default, inspect.Parameter.empty), name


@pytest.mark.parametrize("word", FAULT_WORDS.values(), ids=lambda word: word.name)
def test_every_word_says_in_one_line_what_it_means(word):
    for meaning in (word.meaning, *(argument.meaning for argument in word.arguments)):
        assert meaning
        assert "\n" not in meaning
        assert not meaning.endswith(".")
    for argument in word.arguments:
        assert (argument.kind == "choice") is bool(argument.choices), argument.name
        assert argument.kind != "choice" or argument.default in argument.choices, argument.name
        assert argument.default is not REQUIRED or argument.is_required
