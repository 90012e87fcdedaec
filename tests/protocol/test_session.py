"""What is said at the log in, and what is kept of the answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relay_actors.config import Credentials
from relay_actors.protocol.session import DEFAULT_AGENT, Session

_LINES = (Path(__file__).parents[1] / "data" / "frames.jsonl").read_text().splitlines()
CAPTURED = {captured["name"]: captured["frame"] for captured in map(json.loads, _LINES)}


@pytest.mark.parametrize("name", [name for name in CAPTURED if name.startswith("connect.request.")])
def test_the_log_in_is_written_like_the_known_ones(name):
    params = CAPTURED[name]["params"]
    session = Session()
    session.relay_protocol = params.get("protocol", "")
    session.authorization_state = params.get("authorization_state", "")
    credentials = Credentials(**params["authentication"])
    assert session.connect_params(credentials, params.get("contexts", ()), DEFAULT_AGENT) == params


def test_with_a_jwt_neither_project_nor_token_is_sent():
    """PROTOCOL 3.1, even if they are set."""
    params = Session().connect_params(Credentials(project="p", token="t", jwt_token="j"), (), "agent")
    assert params["authentication"] == {"jwt_token": "j"}


def test_an_authorization_state_is_sent_only_together_with_a_protocol():
    session = Session()
    session.authorization_state = "state"
    params = session.connect_params(Credentials(jwt_token="j"), (), "agent")
    assert not {"protocol", "authorization_state", "contexts"} & params.keys()


@pytest.mark.parametrize(
    ("result", "resumed"),
    [
        ({"protocol": "old"}, True),
        ({}, True),
        ({"protocol": None}, True),
        ({"protocol": 7}, True),
        ({"protocol": "new"}, False),
        ({"protocol": "old", "session_restored": False}, False),
        ({"protocol": "new", "session_restored": True}, True),
        ({"protocol": "old", "session_restored": "yes"}, True),
        ({"raw": "odd"}, True),
    ],
)
def test_both_generations_of_servers_tell_whether_the_session_goes_on(result, resumed):
    """PROTOCOL 3.2: the old one says so, the new one gives the same name."""
    session = Session()
    session.accepted({"protocol": "old"})
    assert session.accepted(result) is resumed


def test_a_first_log_in_resumes_nothing():
    session = Session()
    assert session.accepted({"protocol": "p", "identity": "i", "session_restored": True}) is False
    assert (session.relay_protocol, session.identity) == ("p", "i")


def test_what_the_answer_leaves_out_stays_as_it_was():
    session = Session()
    session.accepted({"protocol": "p", "identity": "i"})
    session.accepted({"identity": ["odd"]})
    assert (session.relay_protocol, session.identity) == ("p", "i")


def test_the_newest_non_empty_authorization_state_is_kept():
    session = Session()
    for params in ({"authorization_state": "one"}, {"authorization_state": ""}, {}, None, ["odd"], "odd"):
        session.authorize(params)
    assert session.authorization_state == "one"
    session.authorize({"authorization_state": "two"})
    assert session.authorization_state == "two"


def test_an_authorization_state_does_not_outlive_its_session():
    session = Session()
    session.accepted({"protocol": "old"})
    session.authorize({"authorization_state": "state"})
    session.accepted({"protocol": "old"})
    assert session.authorization_state == "state"
    session.accepted({"protocol": "new"})
    assert session.authorization_state == ""


def test_a_forgotten_session_is_not_resumed():
    session = Session()
    session.accepted({"protocol": "old"})
    session.authorize({"authorization_state": "state"})
    session.forget()
    assert (session.relay_protocol, session.authorization_state) == ("", "")
