"""What the variables of a program hold: as far as it can be seen without running it."""

import ast

import pytest

from relay_actors.cli.migrate_kinds import Kinds
from relay_actors.cli.migrate_scopes import Scopes

HEAD = "from signalwire.relay import *\nimport asyncio, typing\nclient = RelayClient()\n"


def kind(text: str, head: str = HEAD) -> str:
    """What ``it`` is in the last place where it is used."""
    tree = ast.parse(head + text)
    scopes = Scopes(tree)
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "it"]
    return Kinds(tree, scopes).of(max(uses, key=lambda node: (node.lineno, node.col_offset)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("it = client; it", "client"),
        ("it = Call(client, '', '', '', ''); it", "call"),
        ("async def f():\n  it = await client.dial([])\n  it", "call"),
        ("async def f():\n  it = await asyncio.wait_for(client.dial([]), 3)\n  it", "call"),
        ("async def f():\n  it = asyncio.create_task(client.dial([]))\n  it", "call"),
        ("async def f():\n  it = await client.send_message(body='')\n  it", "message"),
        ("async def f():\n  async with RelayClient() as it:\n    it", "client"),
        ("async def f(call):\n  it = await call.play_tts('')\n  it", "action"),
        ("async def f(call):\n  it = await call.collect(digits={})\n  it", "action"),
        ("async def f(call):\n  it = await call.answer()\n  it", ""),
        ("async def f(call):\n  it = await (await call.play([])).wait()\n  it", "event"),
        ("async def f(call):\n  it = await call.wait_for_answered()\n  it", "event"),
        ("async def f(call):\n  if it := await call.wait_for(''):\n    it", "event"),
        ("async def f(message):\n  it = await message.wait()\n  it", "event"),
        ("async def f(action):\n  it = action.result\n  it", "event"),
        ("async def f(action):\n  it = action.call\n  it", "call"),
        ("async def f(event):\n  it = event.params\n  it", "params"),
        ("async def f(event):\n  it = event.params['result']\n  it", "result"),
        ("async def f(event):\n  it = event.params.get('result') or {}\n  it", "result"),
        ("async def f(event):\n  it = event.params.get('result', {}) if event else {}\n  it", "result"),
        ("async def f(event):\n  it = event.result\n  it", "result"),
        ("it = parse_event({}); it", "event"),
        ("it = PlayEvent.from_payload({}); it", "event"),
        ("def f(it: Call): it", "call"),
        ("def f(it: 'Call'): it", "call"),
        ("def f(it: 'signalwire.relay.Call | None'): it", "call"),
        ("def f(it: Call | None): it", "call"),
        ("def f(it: None | Call): it", "call"),
        ("def f(it: typing.Optional[Call]): it", "call"),
        ("def f(it: list[Call]): it", ""),
        ("def f(it: int): it", ""),
        ("def f(call: int):\n  it = call\n  it", ""),
        ("it: Call = somebody(); it", "call"),
        ("@client.on_call\nasync def f(it): it", "call"),
        ("@client.on_message\nasync def f(it): it", "message"),
        ("async def f(it): it\nclient.on_call(f)", "call"),
        ("class A:\n  def __init__(self): client.on_call(self.f)\n  async def f(self, it): it", "call"),
        ("def f(it): it\ndef g(call): call.on('', f)", "event"),
        ("def g(call): call.on('', lambda it: it)", "event"),
        ("def g(call): call.play([], on_completed=lambda it: it)", "event"),
        ("def g(call): call.wait_for('', predicate=lambda it: it)", "event"),
        ("class A:\n  def __init__(self): self.it = client\n  def g(self):\n    it = self.it\n    it", "client"),
        ("class A:\n  owner: RelayClient\n  def g(self):\n    it = self.owner\n    it", "client"),
        ("class A:\n  def __init__(self): self.x: Call = 1\n  def g(self):\n    it = self.x\n    it", "call"),
        ("class A(RelayClient):\n  def g(self):\n    it = self\n    it", "client"),
        ("class A:\n  def g(self):\n    it = self\n    it", ""),
        ("it = it; it", ""),
        ("class A:\n  def f(self): self.x = self.y; self.y = self.x\nit = A().x; it", ""),
        ("it = 1; it", ""),
    ],
)  # fmt: skip
def test_a_thing_is_what_it_is_said_or_seen_to_be(text: str, told: str):
    assert kind(text) == told


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("from signalwire.relay import Call as C\n", "call"),
        ("from signalwire import relay as r\nC = r.Call\n", ""),
        ("import signalwire.relay\nC = signalwire.relay.Call\n", ""),
        ("from elsewhere import Call as C\n", ""),
        ("class C: ...\n", ""),
    ],
)
def test_only_the_official_classes_are_known(head: str, told: str):
    """By the import that gives them; not by their names alone, nor through a variable."""
    assert kind("def f(it: C): it", head) == told


def test_a_class_may_be_named_with_its_module():
    assert kind("def f(it: r.Call): it", "import signalwire.relay as r\n") == "call"
    assert kind("def f(it: s.relay.call.Call): it", "import signalwire as s\n") == "call"
    assert kind("def f(it: Call): it", "from signalwire.relay import *\nclass Call: ...\n") == ""


def test_handlers_and_listeners_are_found():
    tree = ast.parse(
        HEAD + "@client.on_call\nasync def a(x): ...\n"
        "@client.on_message\nasync def b(x): ...\n"
        "def c(event): ...\n"
        "async def d(call):\n  call.on('', c)\n  await call.play([], on_completed=unknown)\n"
        "def c(event): 'another of this name'\n"
    )
    kinds = Kinds(tree, Scopes(tree))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert kinds.handlers == {functions[0]: "call", functions[1]: "message"}
    assert kinds.listeners == {functions[2], functions[4]}
