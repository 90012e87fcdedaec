"""With which of the differences a program is concerned, and in which line; and with which it is not."""

from __future__ import annotations

import ast

import pytest

from relay_actors.cli.migrate_remarks import REMARKS
from relay_actors.cli.migrate_scopes import Scopes
from relay_actors.cli.migrate_uses import Uses

HEAD = """
import asyncio, logging, os, requests, signal, subprocess, threading, time, websockets
from signalwire import configure_logging
from signalwire.relay import *
client = RelayClient()
"""
FIRST = HEAD.count("\n") + 1


def uses(text: str) -> Uses:
    tree = ast.parse(HEAD + text)
    return Uses(tree, Scopes(tree))


def found(text: str) -> list[tuple[str, str, list[int]]]:
    """Which remarks, with what is used, in which lines of the text."""
    remarks = uses(text).remarks.items()
    return [(code, detail, [line - FIRST + 1 for line in lines]) for (code, detail), lines in remarks]


def by_hand(text: str) -> list[tuple[int, str]]:
    return [(one.line - FIRST + 1, one.what) for one in uses(text).by_hand]


CALL = "async def f(call: Call):\n  "
CONCERNED = [
    # What waits.
    ("wait_for", "", CALL + "await call.wait_for('calling.call.connect')"),
    ("wait_for", "", CALL + "await asyncio.wait_for(call.wait_for('calling.call.connect'), 3)"),
    ("state at once", "", CALL + "await call.wait_for('calling.call.state')"),
    ("state at once", "", CALL + "await call.wait_for(EVENT_CALL_STATE, timeout=3)"),
    ("state is passed", "wait_for_answered()", CALL + "await call.wait_for_answered()"),
    ("state is passed", "wait_for_ringing()", CALL + "await call.wait_for_ringing(3)"),
    ("wait_for_ended", "", CALL + "await call.wait_for_ended(timeout=3)"),
    ("never completes", "send_fax()", CALL + "await call.send_fax('')"),
    ("never completes", "receive_fax()", CALL + "await call.receive_fax()"),
    ("never completes", "pay()", CALL + "await call.pay('')"),
    ("on_completed", "", CALL + "await call.play([], on_completed=print)"),
    # What is asked for, and what is given.
    ("collect is interim", "partial_results", CALL + "await call.collect(speech={}, partial_results=True)"),
    ("collect is interim", "send_start_of_input", "settings = {'send_start_of_input': True}"),
    ("collect goes on", "continuous", CALL + "await call.prompt_tts('', {'continuous': True})"),
    ("context", "", CALL + "call.context"),
    ("timestamp", "", "def f(event: PlayEvent): event.timestamp"),
    ("digits", "", "def f(event: CollectEvent): event.result['digits']"),
    ("digits", "", "def f(event: CollectEvent): event.params.get('result', {}).get('digits')"),
    # Handlers.
    ("crash", "", "@client.on_call\nasync def f(call): await call.answer()"),
    ("crash", "", "async def f(call): await call.answer()\nclient.on_call(f)"),
    ("crash", "", "@client.on_call\nasync def f(call):\n  try: await call.answer()\n  except KeyError: ..."),
    ("blocking", "time.sleep()", "async def f(): time.sleep(1)"),
    ("blocking", "requests.post()", "async def f(): requests.post('')"),
    ("blocking", "subprocess.run()", "async def f(): subprocess.run('')"),
    ("blocking", "threading.Event().wait()", "async def f(): threading.Event().wait(3)"),
    ("blocking", "input()", "async def f(): input()"),
    ("blocking", "time.sleep()", "def g(): time.sleep(1)\ndef h(): g()\nasync def f(): h()"),
    # Dials.
    ("dial is late", "", "async def f(): await client.dial([], dial_timeout=3)"),
    ("dial is cancelled", "", "async def f(): await asyncio.wait_for(client.dial([]), 3)"),
    ("dial's error", "", "async def f():\n  try: await client.dial([])\n  except asyncio.TimeoutError: ..."),
    ("dial's error", "", "async def f():\n  try: await client.dial([])\n  except (KeyError, TimeoutError): ..."),
    # The client, and its process.
    ("SIGTERM", "", "client.run()"),
    ("retry run", "", "while True:\n  client.run()"),
    ("connect", "", "async def f(): await client.connect()"),
    ("connect", "", "async def f():\n  async with client: ..."),
    ("connect", "", "async def f():\n  async with RelayClient() as c: ..."),
    ("retry connect", "", "async def f():\n  for _ in range(3): await client.connect()"),
    ("limit", "", "RelayClient(max_active_calls=3)"),
    ("limit", "", "os.environ['RELAY_MAX_ACTIVE_CALLS'] = '3'"),
    ("connections", "", "os.environ['RELAY_MAX_CONNECTIONS'] = '2'"),
    ("log level", "", "os.environ.setdefault('SIGNALWIRE_LOG_LEVEL', 'debug')"),
    ("log form", "SIGNALWIRE_LOG_FORMAT", "os.environ['SIGNALWIRE_LOG_FORMAT'] = 'json'"),
    ("logger", "signalwire", "logging.getLogger('signalwire')"),
    ("logger", "signalwire.relay_client", "x = {'signalwire.relay_client': {'level': 'INFO'}}"),
    ("configure_logging", "", "configure_logging()"),
    (
        "websockets",
        "websockets.exceptions.ConnectionClosed",
        CALL + "try: await call.answer()\n  except websockets.exceptions.ConnectionClosed: ...",
    ),
]
NOT_CONCERNED = [
    "async def f(other): await other.wait_for('x')",
    CALL + "await call.wait_for_ended()",
    CALL + "await call.wait_for('calling.call.connect', timeout=3)",
    CALL + "await call.wait_for('calling.call.connect', None, 3)",
    CALL + "await call.answer()",
    CALL + "await call.collect(partial_results=False, continuous=later)",
    "def f(event: PlayEvent): event.params, event.state",
    "def f(results): results['digits']",
    "def f(event: CollectEvent): event.params['result']['params']['digits']",
    "@client.on_call\nasync def f(call):\n  try: await call.answer()\n  except Exception: log()",
    "@client.on_call\nasync def f(call): print(call)",
    "@client.on_message\nasync def f(message): raise KeyError",
    "def f(): time.sleep(1)",
    "async def f(): await asyncio.to_thread(time.sleep, 1)",
    "async def f(): await asyncio.to_thread(lambda: time.sleep(1))",
    "async def f(input): input()",
    "async def f(time): time.sleep(1)",
    "async def f(): await client.dial([])",
    "async def f():\n  try: await client.dial([])\n  except RelayError: ...",
    "async def f():\n  try: await (await (await client.dial([])).play([])).wait(3)\n  except TimeoutError: ...",
    "other.run()",
    "RelayClient(contexts=[])",
    "logging.getLogger('signalwire.agent_base'), 'signalwire'",
    CALL + "try: other()\n  except websockets.ConnectionClosed: ...",
    "signal.signal(signal.SIGTERM, f)",
]


@pytest.mark.parametrize(("code", "detail", "text"), CONCERNED)
def test_a_program_is_told_what_is_different_for_it(code: str, detail: str, text: str):
    assert [(one, what) for one, what, _lines in found(text)] == [(code, detail)]
    assert by_hand(text) == []


@pytest.mark.parametrize("text", NOT_CONCERNED)
def test_a_program_is_not_told_what_does_not_concern_it(text: str):
    assert found(text) == []
    assert by_hand(text) == []


def test_a_difference_is_told_once_with_all_its_lines():
    assert found(CALL + "x = 1\n  call.context\n  call.context, call.context\n") == [("context", "", [3, 4])]


def test_what_an_action_has_told_may_be_the_end_of_the_call():
    """Where the program counts on something that only the action's own last event has."""
    text = CALL + "menu = await call.collect(digits={})\n  event = await menu.wait()\n  event."

    assert found(text + "params['result']") == [("action ends", 'params["result"]', [4])]
    assert found(text + "result") == [("action ends", "result", [4])]
    assert found(CALL + "(await (await call.record()).wait()).url") == [("action ends", "url", [2])]
    assert found(text + "params.get('result'), event.event_type, event.call_id") == []
    assert found("def f(event: CollectEvent): event.result") == []


@pytest.mark.parametrize(
    ("predicate", "is_told"),
    [
        ("lambda e: seen.append(e)", True),
        ("lambda e: (last := e)", True),
        ("named", True),
        ("unknown", False),
        ("lambda e: e.params.get('call_state') == 'ended' and len(e.params) > 2", False),
    ],
)
def test_a_predicate_that_does_more_than_to_look_is_told(predicate: str, is_told: bool):
    """It runs on another thread here."""
    text = f"def named(e):\n  global last\n  last = e\n{CALL}await call.wait_for('x', {predicate})"

    assert ("predicate", "", [5]) in found(text) or not is_told
    assert len(found(text)) == 1 + is_told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("signal.signal(signal.SIGINT, f)", ["signal", "SIGTERM"]),
        ("signal.signal(signal.SIGHUP, f)", ["SIGTERM"]),
        ("signal.signal(signal.SIGTERM, f)", []),
        ("loop.add_signal_handler(signal.SIGTERM, f)", []),
    ],
)
def test_a_signal_is_told_with_what_the_program_does_about_it(text: str, told: list[str]):
    """A handler of its own for SIGTERM stays its own, with either client."""
    assert [code for code, _detail, _lines in found(f"{text}\nclient.run()")] == told


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("client._calls", 1, "_calls of a client: there is no such attribute here"),
        ("client._ws", 1, "_ws of a client: there is no such attribute here"),
        (CALL + "await call._execute('play')", 2, "_execute of a call: there is no such attribute here"),
        (CALL + "(await call.play([]))._done", 2, "_done of an action: there is no such attribute here"),
        ("def f(message): message._done", 1, "_done of a message: there is no such attribute here"),
        ("class A(RelayClient):\n  def f(self): self._calls", 2, "_calls of a client: there is no such attribute"),
        ("class A(RelayClient):\n  def _handle_event(self): ...", 2, "_handle_event of a client: there is nothing"),
        (
            "class A(RelayClient):\n  async def execute(self, m, p): ...",
            2,
            "execute of a client: run() and the methods",
        ),
        (CALL + "call.state = 'ended'", 2, "state of a call can only be read here"),
        (CALL + "del call.tag", 2, "tag of a call can only be read here"),
        ("def f(message): message.body = ''", 1, "body of a message can only be read here"),
        (CALL + "(await call.play([])).completed = True", 2, "completed of an action can only be read here"),
        ("def f(event: PlayEvent): event.mine = 1", 1, "mine of an event can only be read here"),
    ],
)
def test_what_is_not_here_is_to_be_changed_by_hand(text: str, line: int, told: str):
    [(where, what)] = by_hand(text)

    assert where == line
    assert what.startswith(told)


@pytest.mark.parametrize(
    "text",
    [
        CALL + "call.mine = 1",
        CALL + "call._mine = 1\n  call._mine",
        "class A(RelayClient):\n  def f(self): self._mine",
        "client.__class__",
        "def f(other): other._calls, other.state",
        "client.host = 'example.signalwire.com'",
    ],
)
def test_what_is_the_programs_own_is_left_to_it(text: str):
    assert by_hand(text) == []


def test_every_remark_is_found_in_some_program():
    """One that nothing leads to would never be read."""
    elsewhere = {"action ends", "predicate", "signal"}

    assert {code for code, _detail, _text in CONCERNED} | elsewhere == set(REMARKS)
