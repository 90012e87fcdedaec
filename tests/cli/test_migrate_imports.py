"""What is changed in a program so that it imports ours: its imports, and what begins with them."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.cli.migrate_imports import Imports, uses_the_official_client
from relay_actors.cli.migrate_names import OURS
from relay_actors.cli.migrate_scopes import Scopes
from relay_actors.cli.migrate_source import read_source


def migrated(text: str) -> str:
    source = read_source("x.py", text.encode())
    return source.edited(Imports(source, Scopes(source.tree)).edits)


def by_hand(text: str) -> list[tuple[int, str, str]]:
    source = read_source("x.py", text.encode())
    return list(map(tuple, Imports(source, Scopes(source.tree)).by_hand))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from signalwire.relay import Call", "from relay_actors.client import Call"),
        ("from signalwire.relay import Call as C  # his", "from relay_actors.client import Call as C  # his"),
        ("from signalwire.relay import *", "from relay_actors.client import *"),
        ("from signalwire . relay import Call", "from relay_actors.client import Call"),
        ("from signalwire.relay \\\n  import Call", "from relay_actors.client \\\n  import Call"),
        (
            "from signalwire.relay import (\n    Call,  # one\n    Message,\n)",
            "from relay_actors.client import (\n    Call,  # one\n    Message,\n)",
        ),
        ("from signalwire.relay.call import Call", "from relay_actors.client import Call"),
        ("from signalwire.relay.message import Message", "from relay_actors.client import Message"),
        ("from signalwire.relay.client import RelayClient", "from relay_actors.client import RelayClient"),
        ("from signalwire.relay.event import PlayEvent", "from relay_actors.events import PlayEvent"),
        ("from signalwire.relay.constants import CALL_STATES", "from relay_actors.constants import CALL_STATES"),
        ("from signalwire import relay", "from relay_actors import client as relay"),
        ("from signalwire import relay as r", "from relay_actors import client as r"),
        ("from signalwire.relay import client", "from relay_actors import client"),
        ("from signalwire.relay import event", "from relay_actors import events as event"),
        ("import signalwire.relay as r", "import relay_actors.client as r"),
        ("import os, signalwire.relay.event as e, re", "import os, relay_actors.events as e, re"),
        ("import signalwire . relay as r", "import relay_actors.client as r"),
        ("import signalwire.relay", "import relay_actors.client"),
        ("if a: from signalwire.relay import Call; b()", "if a: from relay_actors.client import Call; b()"),
        ("def f():\n\tfrom signalwire.relay import Call", "def f():\n\tfrom relay_actors.client import Call"),
    ],
)
def test_an_import_is_rewritten(before: str, after: str):
    """And what is around its names stays as it is."""
    assert migrated(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from signalwire import AgentBase, relay  # both\n",
            "from signalwire import AgentBase  # both\nfrom relay_actors import client as relay\n",
        ),
        (
            "from signalwire import relay, AgentBase",
            "from signalwire import AgentBase\nfrom relay_actors import client as relay",
        ),
        (
            "from signalwire import (\r\n    AgentBase,\r\n    relay,\r\n)\r\n",
            "from signalwire import (\r\n    AgentBase,\r\n)\r\nfrom relay_actors import client as relay\r\n",
        ),
        (
            "from signalwire import (\n    relay,  # ours\n    AgentBase,\n)\n",
            "from signalwire import (\n    # ours\n    AgentBase,\n)\nfrom relay_actors import client as relay\n",
        ),
        (
            "from signalwire import (AgentBase\n    , relay\n    )",
            "from signalwire import (AgentBase\n    , \n    )\nfrom relay_actors import client as relay",
        ),
        (
            "from signalwire import (relay # 1\n    , AgentBase)",
            "from signalwire import (# 1\n     AgentBase)\nfrom relay_actors import client as relay",
        ),
        (
            "from signalwire import AgentBase, \\\n    relay",
            "from signalwire import AgentBase\nfrom relay_actors import client as relay",
        ),
        (
            "if a: from signalwire import AgentBase, relay; b()",
            "if a: from signalwire import AgentBase; from relay_actors import client as relay; b()",
        ),
        (
            "class A:\n    from signalwire.relay import Call, event\n    x = 1\n",
            "class A:\n    from relay_actors.client import Call\n"
            "    from relay_actors import events as event\n    x = 1\n",
        ),
        (
            "from signalwire.relay.client import RelayClient, RelayError, RECONNECT_MAX_DELAY",
            "from relay_actors.client import RelayClient, RelayError\n"
            "from relay_actors.constants import RECONNECT_MAX_DELAY",
        ),
        (
            "from signalwire.relay.call import Call, EventHandler",
            "from relay_actors.client import Call\nfrom signalwire.relay.call import EventHandler",
        ),
        (
            "if a: \\\n  from signalwire.relay import Call, event\nb",
            "if a: \\\n  from relay_actors.client import Call; from relay_actors import events as event\nb",
        ),
    ],
)
def test_names_that_belong_to_different_modules_are_parted(before: str, after: str):
    """Comments stay, and so does what we do not have: the program says in the same line as before that it needs it."""
    assert migrated(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import signalwire.relay\nsignalwire.relay.Call", "import relay_actors.client\nrelay_actors.client.Call"),
        (
            "import signalwire.relay\nsignalwire.relay.event.PlayEvent",
            "import relay_actors.client\nrelay_actors.client.PlayEvent",
        ),
        (
            "import signalwire.relay.event\nsignalwire.relay.event.PlayEvent",
            "import relay_actors.events\nrelay_actors.events.PlayEvent",
        ),
        (
            "import signalwire.relay\nsignalwire.relay.constants.CALL_STATES",
            "import relay_actors.client, relay_actors.constants\nrelay_actors.constants.CALL_STATES",
        ),
        (
            "import signalwire.relay\nsignalwire.relay.Call\nsignalwire.AgentBase",
            "import relay_actors.client, signalwire\nrelay_actors.client.Call\nsignalwire.AgentBase",
        ),
        (
            "import signalwire.rest\nimport signalwire.relay\nsignalwire.relay.Call\nsignalwire.rest.X",
            "import signalwire.rest\nimport relay_actors.client\nrelay_actors.client.Call\nsignalwire.rest.X",
        ),
        ("import signalwire\nsignalwire.relay.Call", "import relay_actors.client\nrelay_actors.client.Call"),
        (
            "import signalwire as s\ns.relay.Call(s.X)",
            "import signalwire as s, relay_actors.client\nrelay_actors.client.Call(s.X)",
        ),
        (
            "import signalwire.rest\nsignalwire.relay.Call",
            "import signalwire.rest, relay_actors.client\nrelay_actors.client.Call",
        ),
        (
            "import signalwire.relay\ndef f(signalwire): signalwire.relay.Call",
            "import relay_actors.client\ndef f(signalwire): signalwire.relay.Call",
        ),
        (
            "import signalwire.relay\nx = (signalwire\n  .relay  # his\n  .Call)",
            "import relay_actors.client\nx = (relay_actors.client  # his\n  .Call)",
        ),
        (
            "import signalwire.relay\nx = (signalwire  # his\n  .relay.Call)",
            "import relay_actors.client\nx = (relay_actors.client  # his\n  .Call)",
        ),
        (
            "import signalwire.relay\ntry: f()\nexcept signalwire.relay.RelayError: ...",
            "import relay_actors.client\ntry: f()\nexcept relay_actors.client.RelayError: ...",
        ),
        ("import signalwire.relay as r\nr.Call", "import relay_actors.client as r\nr.Call"),
        ("import signalwire.relay as r\nr.event.PlayEvent", "import relay_actors.client as r\nr.PlayEvent"),
        (
            "from signalwire.relay import client, call\nclient.RelayClient, call.Call",
            "from relay_actors import client, client as call\nclient.RelayClient, call.Call",
        ),
        (
            "try:\n    from signalwire import relay\nexcept ImportError:\n    relay = None\n",
            "try:\n    from relay_actors import client as relay\nexcept ImportError:\n    relay = None\n",
        ),
    ],
)
def test_dotted_names_go_with_their_import(before: str, after: str):
    assert migrated(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "from signalwire import AgentBase\nfrom signalwire.rest import RestClient\nimport signalwire\nsignalwire.X",
        "from signalwire.relays import x\nimport signalwire.relay_x\nfrom .relay import Call\nfrom relay import Call",
        "signalwire.relay.Call",
        '"""See signalwire.relay for more."""',
        "from relay_actors.client import Call",
        "",
    ],
)
def test_what_is_no_import_of_the_official_client_stays(text: str):
    source = read_source("x.py", text.encode())

    assert not uses_the_official_client(Scopes(source.tree), source.tree)
    assert migrated(text) == text
    assert by_hand(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "import os, signalwire.relay",
        "import signalwire.relay.event as e",
        "def f():\n    from signalwire.relay.constants import *",
        "from signalwire import x, relay",
        "import signalwire\nsignalwire.relay",
    ],
)
def test_every_kind_of_import_is_a_use(text: str):
    tree = ast.parse(text)

    assert uses_the_official_client(Scopes(tree), tree)


@pytest.mark.parametrize(
    ("text", "line", "what", "instead"),
    [
        ("from signalwire.relay import (\n  Call,\n  _x)", 3, "signalwire.relay._x", ""),
        ("from signalwire.relay.call import EventHandler", 1, "signalwire.relay.call.EventHandler", "Callable"),
        ("from signalwire.relay.client import logger", 1, "signalwire.relay.client.logger", "relay_actors.client"),
        ("from signalwire.relay.consumer import Consumer", 1, "signalwire.relay.consumer.Consumer", ""),
        (
            "from signalwire.relay.protocol_types_generated import CallingPlayParams",
            1,
            "signalwire.relay.protocol_types_generated.CallingPlayParams",
            "relay_actors.commands has a class for each method",
        ),
        ("import signalwire.relay.protocol_types_generated", 1, "protocol_types_generated", "relay_actors.commands"),
        ("import signalwire.relay as r\n\nr._x", 3, "signalwire.relay._x", ""),
        (
            "import signalwire.relay as r\nr.constants.CALL_STATES",
            2,
            "signalwire.relay.constants.CALL_STATES",
            "from relay_actors.constants import CALL_STATES",
        ),
        ("import signalwire.relay as r\nf(r.event)", 2, "signalwire.relay.event", ""),
        ("import signalwire.relay\nsignalwire.relay._x", 2, "signalwire.relay._x", ""),
        (
            "patch('signalwire.relay.client.RelayClient')",
            1,
            "'signalwire.relay.client.RelayClient'",
            "'relay_actors.client.RelayClient'",
        ),
        (
            "def f(x: 'list[signalwire.relay.Call]'): ...",
            1,
            "'list[signalwire.relay.Call]'",
            "'list[relay_actors.client.Call]'",
        ),
    ],
)
def test_what_we_do_not_have_is_told_with_its_line(text: str, line: int, what: str, instead: str):
    [told] = by_hand(text)

    assert told[0] == line
    assert what in told[1]
    assert instead in told[2]


@pytest.mark.parametrize(
    ("module", "use", "instead"),
    [
        ("client", "asyncio.run(main())", "import asyncio"),
        ("call", "x: Callable", "from collections.abc import Callable"),
        ("call", "x: EventHandler", "it is only an annotation: write collections.abc.Callable"),
        ("message", "MESSAGE_TERMINAL_STATES", "from relay_actors.constants import MESSAGE_TERMINAL_STATES"),
    ],
)
def test_a_name_that_came_by_a_star_and_does_not_come_by_ours_is_told_once(module: str, use: str, instead: str):
    """There is no import in which it stands, and the program would fail where it is used."""
    text = f"from signalwire.relay.{module} import *\n\n{use}\n{use}\nRelayClient, Call, print, __name__, unknown\n"

    [(line, what, told)] = by_hand(text)

    name = re.findall(r"\w+", use.removeprefix("x: "))[0]
    assert (line, told) == (3, instead)
    assert what == f"{name} came by the * of signalwire.relay.{module}, and does not come by ours"


@pytest.mark.parametrize(
    "text",
    [
        "from signalwire.relay.client import *\nimport asyncio\nasyncio.run(main())",
        "from signalwire.relay.client import *\nfrom signalwire.relay.constants import *\nRECONNECT_MAX_DELAY",
        "from signalwire.relay import *\nlogger",
    ],
)
def test_a_name_that_came_from_elsewhere_is_not_told(text: str):
    assert by_hand(text) == []


def test_what_we_do_not_have_stays_where_it_was():
    """Half of a program is migrated, and the other half still runs with the official client."""
    text = "import signalwire.relay\nsignalwire.relay._x\nsignalwire.relay.Call\n"

    assert (
        migrated("import signalwire.relay\nsignalwire.relay._x\n") == "import signalwire.relay\nsignalwire.relay._x\n"
    )
    assert migrated(text) == (
        "import relay_actors.client, signalwire.relay\nsignalwire.relay._x\nrelay_actors.client.Call\n"
    )


# -- laws --------------------------------------------------------------------------------------------------------------

NAMES = (
    "Call",
    "RelayClient",
    "CALL_STATE_ENDED",
    "PlayEvent",
    "END_REASON_BUSY",
    "EventHandler",
    "_x",
    "event",
    "call",
)
MODULES = (*OURS, "signalwire", "signalwire.rest", "signalwire.relay.protocol_types_generated")


@st.composite
def from_imports(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from((*NAMES, "relay", "AgentBase")), min_size=1, max_size=5, unique=True))
    said = [f"{name} as {name}_{number}" if draw(st.booleans()) else name for number, name in enumerate(names)]
    module = draw(st.sampled_from(MODULES))
    if not draw(st.booleans()):
        return f"from {module} import {draw(st.sampled_from((', ', ',', ' , ')))[:].join(said)}"
    between = draw(st.sampled_from((", ", ",\n    ", ",  # why\n        ", "\n  ,", "  # why\n  , ")))
    comma = draw(st.sampled_from(("", ",", ",\n", ",  # last\n", "  # last\n")))
    return f"from {module} import ({draw(st.sampled_from(('', chr(10))))}{between.join(said)}{comma})"


@st.composite
def plain_imports(draw: st.DrawFn) -> str:
    modules = draw(st.lists(st.sampled_from((*MODULES, "os.path")), min_size=1, max_size=3, unique=True))
    said = [f"{one} as m{number}" if draw(st.booleans()) else one for number, one in enumerate(modules)]
    return f"import {', '.join(said)}"


@st.composite
def uses(draw: st.DrawFn) -> str:
    root = draw(
        st.sampled_from(("signalwire", "signalwire.relay", "signalwire.relay.event", "relay", "m0", "m1", "call"))
    )
    return f"{root}.{draw(st.sampled_from((*NAMES, 'relay', 'AgentBase')))}"


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A program, and those of its lines that have nothing to do with the official client."""
    line_end = draw(st.sampled_from(("\n", "\r\n")))
    pieces: list[str] = []
    others: list[str] = []
    for number in range(draw(st.integers(0, 6))):
        other = f"other_{number} = 'é'  # other{' ' * draw(st.integers(0, 2))}"
        statement = draw(st.one_of(from_imports(), plain_imports(), uses()))
        indent = draw(st.sampled_from(("", "    ", "\t")))
        match draw(st.integers(0, 3)):
            case 0:
                pieces.append(f"{statement}\n")
            case 1:
                pieces.append(f"if True:\n{indent or ' '}{statement}  # why\n")
            case 2:
                pieces.append(f"if True: {statement}; done()\n")
            case _:
                pieces.append(f"def f_{number}():\n{indent or ' '}{statement}\n")
        pieces.append(f"{other}\n")
        others.append(other)
    text = "".join(pieces)
    if not draw(st.booleans()):
        text = text.removesuffix("\n")
    return text.replace("\n", line_end), others


@given(programs())
def test_nothing_changes_but_what_imports_the_official_client(program: tuple[str, list[str]]):
    """Other lines stay as they are, comments stay, and the program is still one."""
    text, others = program

    after = migrated(text)

    ast.parse(after)
    assert [line for line in re.split("\r?\n", after) if line.startswith("other_")] == others
    assert sorted(re.findall("# (?:why|last)", after)) == sorted(re.findall("# (?:why|last)", text))
    assert after.count("\r") in (0, after.count("\n"))


@given(programs())
def test_migrating_twice_is_the_same_as_once(program: tuple[str, list[str]]):
    """Also where something has been left for its author."""
    once = migrated(program[0])

    assert migrated(once) == once


@given(programs())
def test_every_name_that_was_imported_still_is(program: tuple[str, list[str]]):
    """Under the name that the program knows it by; but for the two packages themselves."""
    text, _others = program

    def bound(of: str) -> list[str]:
        names = [
            alias.asname or alias.name.partition(".")[0]
            for node in ast.walk(ast.parse(of))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        ]
        return sorted(name for name in names if name not in ("signalwire", "relay_actors"))

    assert bound(migrated(text)) == bound(text)


@given(programs())
def test_every_package_that_is_used_is_imported(program: tuple[str, list[str]]):
    """What a dotted name begins with, was imported before and is imported after."""
    text, _others = program

    def unbound(of: str) -> set[str]:
        tree = ast.parse(of)
        scopes = Scopes(tree)
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        return {name.id for name in names if name.id in ("signalwire", "relay_actors") and not scopes.find(name)}

    assert unbound(migrated(text)) <= unbound(text)
