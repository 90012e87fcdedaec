"""Which pieces of Python a page has, what they are called, and which can be run."""

from __future__ import annotations

import pytest

from tests.parity.shipped.documents import Snippet, is_program, snippets, why_not

PAGE = """# Calls

## Lifecycle

### `answer(**kwargs) -> dict`

```python
await call.answer()
```

```bash
# Not a heading
export A=1
```

```
no language
```

### Wait inline (blocking)

Text.

```python
one = 1

two = 2
```

```python
three = 3
```
"""


def test_each_block_of_python_is_found_under_its_heading_as_it_stands_there():
    assert list(snippets("docs/calls.md", PAGE)) == [
        Snippet("docs/calls.md", "answer", 1, "await call.answer()\n"),
        Snippet("docs/calls.md", "Wait inline", 1, "one = 1\n\ntwo = 2\n"),
        Snippet("docs/calls.md", "Wait inline", 2, "three = 3\n"),
    ]


def test_only_a_second_piece_under_one_heading_needs_a_number_in_its_name():
    names = [snippet.name for snippet in snippets("docs/calls.md", PAGE)]

    assert names == ["calls.md, answer", "calls.md, Wait inline", "calls.md, Wait inline, 2"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("await client.dial([...])", "it has ... in the place of a value"),
        ('await call.ai(SWAIG={"functions": [...]})', "it has ... in the place of a value"),
        ("RelayClient(\n    project: str = None,\n)", "it is a signature, not a statement"),
        ("async with RelayClient() as client:\n    ...", ""),
        ('client = RelayClient(project="...", token="...")', ""),
        ("# don't wait\nawait call.answer()", ""),
    ],
)
def test_what_stands_for_something_else_cannot_be_run(code, reason):
    assert why_not(code) == reason


def test_what_runs_a_client_needs_a_process_of_its_own():
    assert is_program("client = RelayClient()\nclient.run()\n")
    assert not is_program("action = await call.play([])\nrun = action.wait()\n")
