"""The catalog fits together. That it covers the whole wire is for `tests.test_every_method`: it says what is not."""

from __future__ import annotations

from relay_actors.protocol.catalog import ACTIONS, COMMANDS, EVENTS, SUB_COMMAND_CLASSES
from relay_actors.protocol.commands.command import ActionCommand
from relay_actors.protocol.commands.sub_commands import SubCommand
from tests.protocol.wire_tables import EVENTS as EVENT_ROWS
from tests.protocol.wire_tables import METHODS


def test_only_what_the_seed_api_does_not_say_as_a_verb_has_no_command() -> None:
    """A reason is no excuse: all verbs of calls and messages must exist."""
    verbs = {row["method"] for row in METHODS if row["call_method"]} | {"calling.dial", "messaging.send"}
    subs = {sub["method"] for row in METHODS for sub in row["sub_commands"]}
    assert verbs | subs == set(COMMANDS)


def test_every_command_says_the_method_under_which_it_is_listed() -> None:
    """Otherwise the catalog would lead to the wrong class."""
    for method, cls in COMMANDS.items():
        if not issubclass(cls, SubCommand):
            assert vars(cls)["method"] == method


def test_exactly_the_running_operations_of_the_wire_are_actions() -> None:
    """These are the commands whose answer only says that it began."""
    actions = {row["method"] for row in METHODS if row["kind"] == "action"}
    assert set(ACTIONS) == actions
    assert {method for method, cls in COMMANDS.items() if issubclass(cls, ActionCommand)} == actions
    assert all(kind.command is COMMANDS[method] for method, kind in ACTIONS.items())


def test_every_operation_has_the_sub_commands_of_the_table_under_their_wire_methods() -> None:
    """``start_input_timers`` of a prompt, for one, goes to the collect's method."""
    for row in METHODS:
        if row["kind"] == "action":
            expected = {sub["name"]: sub["method"] for sub in row["sub_commands"]}
            made = {
                verb: cls(action_method=row["method"], control_id="c", **({"volume": 1} if verb == "volume" else {}))
                for verb, cls in ACTIONS[row["method"]].sub_commands.items()
            }
            assert {verb: command.method for verb, command in made.items()} == expected, row["method"]
            assert all(isinstance(command, SUB_COMMAND_CLASSES[verb]) for verb, command in made.items())


def test_every_operation_listens_to_its_event() -> None:
    """An operation that listens to nothing would never end."""
    for row in METHODS:
        if row["kind"] == "action":
            rule = ACTIONS[row["method"]].rule
            assert rule.completing == row["event_type"]
            assert set(rule.event_types) <= set(EVENTS)


def test_every_event_type_of_the_wire_has_a_class() -> None:
    """The next event that a server learns shows up here."""
    missing = {row["event_type"] for row in EVENT_ROWS} - set(EVENTS)
    assert not missing, f"no class for {', '.join(sorted(missing))}: add it to protocol/events.py"
