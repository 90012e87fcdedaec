"""What is known of a conversation."""

from __future__ import annotations

from relay_actors.simulator.conversations import Conversation, Utterance


def conversation() -> Conversation:
    talk = Conversation("call-1", "ai", "Be kind.", {"vip": True})
    talk.note("assistant", "Hello.")
    talk.note("user", "One ticket")
    talk.note("user", "No, two")
    return talk


def test_a_snapshot_stays_as_it_was():
    talk = conversation()
    before = talk.snapshot()
    talk.note("user", "Bye")
    talk.global_data["vip"] = False
    assert before.texts("user") == ["One ticket", "No, two"]
    assert before.global_data == {"vip": True}
    assert before.utterances[0] == Utterance("assistant", "Hello.")


def test_it_can_be_read():
    assert str(conversation().snapshot()).splitlines() == [
        "ai on call call-1 (running):",
        "assistant: Hello.",
        "user: One ticket",
        "user: No, two",
    ]


def test_what_the_agent_forgets_is_still_to_be_seen_but_not_told():
    talk = conversation()
    talk.forget()
    talk.note("user", "Three")
    assert talk.log() == [{"role": "user", "content": "Three"}]
    assert talk.summary() == "The caller said: Three"
    assert len(talk.snapshot().utterances) == 4


def test_a_summary_of_silence_says_so():
    assert Conversation("c", "ai", "", {}).summary() == "The caller said nothing."
    assert conversation().summary() == "The caller said: One ticket; No, two"
