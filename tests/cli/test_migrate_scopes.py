"""Which name means what: by Python's own rules of scopes."""

import ast

import pytest

from relay_actors.cli.migrate_scopes import Scopes


def meaning(text: str) -> str:
    """What ``it`` means in the last place where it is used."""
    tree = ast.parse(text)
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "it"]
    last = max(uses, key=lambda node: (node.lineno, node.col_offset))
    return Scopes(tree).dotted(last)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import a.b\nimport a as it\nit", "a"),
        ("import it.b\nit", "it"),
        ("import a.b as it\nit", "a.b"),
        ("from a.b import c as it\nit", "a.b.c"),
        ("from . import it\nit", "..it"),
        ("import a as it\ndef f():\n    return it", "a"),
        ("import a as it\ndef f(it):\n    return it", ""),
        ("import a as it\ndef f(*it):\n    return it", ""),
        ("import a as it\ndef f(x=it): ...", "a"),
        ("import a as it\ndef f(x, *, y=it): ...", "a"),
        ("import a as it\ndef f(x: it): ...", "a"),
        ("import a as it\n@it\ndef f(it): ...", "a"),
        ("import a as it\nf = lambda it: it", ""),
        ("import a as it\nf = lambda x: it", "a"),
        ("import a as it\ndef f():\n    it = 1\n    return it", ""),
        ("import a as it\ndef f():\n    for it in x: it", ""),
        ("import a as it\ndef f():\n    with x as it: it", ""),
        ("import a as it\ndef f():\n    try: x\n    except E as it: it", ""),
        ("import a as it\ndef f():\n    match x:\n        case [*it]: it", ""),
        ("import a as it\ndef f():\n    match x:\n        case {**it}: it", ""),
        ("import a as it\ndef f():\n    match x:\n        case it: it", ""),
        ("import a as it\ndef f():\n    (it := 1)\n    it", ""),
        ("import a as it\ndef f():\n    [it := x for x in y]\n    it", ""),
        ("import a as it\ndef f():\n    [it for it in y]", ""),
        ("import a as it\ndef f():\n    [1 for it in y]\n    it", "a"),
        ("def f():\n    global it\n    import a as it\nit", "a"),
        ("import b as it\ndef f():\n    import a as it\n    def g():\n        nonlocal it\n        it", "a"),
        ("import b as it\ndef f():\n    it = 1\n    def g():\n        global it\n        it", "b"),
        ("import a as it\nclass C:\n    it = 1\n    def f(self):\n        it", "a"),
        ("import a as it\nclass C:\n    it = 1\n    it", ""),
        ("import a as it\nclass C:\n    x = it", "a"),
        ("import a as it\nclass C:\n    class it: ...\n    class D:\n        x = it", "a"),
        ("import a as it\nclass it: ...\nit", "a"),
        ("try:\n    import a as it\nexcept ImportError:\n    it = None\nit", "a"),
        ("it", ""),
    ],
)
def test_a_name_means_what_it_means_to_python(text: str, told: str):
    """Where an import may give it and something else, too, it is the import's."""
    assert meaning(text) == told


def test_a_dotted_name_goes_on_from_its_import():
    tree = ast.parse("import a as x\nx.b.c")
    scopes = Scopes(tree)

    assert scopes.dotted(tree.body[1].value) == "a.b.c"  # type: ignore[attr-defined]
    assert scopes.dotted(ast.parse("f().b").body[0].value) == ""  # type: ignore[attr-defined]


def test_it_is_noted_what_is_assigned_and_by_which_argument():
    tree = ast.parse("def f(call):\n    x = self.y = call\n    return x")
    scopes = Scopes(tree)
    [function] = tree.body
    assert isinstance(function, ast.FunctionDef)
    value = function.body[1].value  # type: ignore[attr-defined]
    [binding] = scopes.find(value)
    [argument] = scopes.find(binding.value)  # type: ignore[arg-type]

    assert scopes.attributes == {"y": [binding.value]}
    assert (argument.node, argument.by) == (function.args.args[0], function)
    assert list(scopes.above(value)) == [function.body[1], function, tree]


def test_star_imports_are_noted_with_their_module():
    assert Scopes(ast.parse("from a.b import *\nfrom .c import *")).star_imports == ["a.b", ".c"]
