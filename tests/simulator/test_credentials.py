"""Who may log in."""

from __future__ import annotations

import pytest

from relay_actors.simulator.credentials import Credentials


@pytest.mark.parametrize(
    ("known", "shown", "project"),
    [
        (Credentials(), {"project": "p", "token": "t"}, "p"),
        (Credentials(), {"project": "", "token": "t"}, None),
        (Credentials(), {"project": "p", "token": ""}, None),
        (Credentials(), {}, None),
        (Credentials(), None, None),
        (Credentials(), {"project": 7, "token": "t"}, None),
        (Credentials("p", "t"), {"project": "p", "token": "t"}, "p"),
        (Credentials("p", "t"), {"project": "q", "token": "t"}, None),
        (Credentials("p", "t"), {"project": "p", "token": "u"}, None),
        (Credentials(), {"jwt_token": "j"}, "jwt"),
        (Credentials(jwt_token="j"), {"jwt_token": "j"}, "jwt"),
        (Credentials(jwt_token="j"), {"jwt_token": "k"}, None),
    ],
)
def test_credentials_are_matched_where_something_is_demanded(known: Credentials, shown: object, project: str | None):
    """Empty ones are always wrong (PROTOCOL 19.1)."""
    assert known.project_of(shown) == project
