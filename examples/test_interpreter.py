"""Tests of `interpreter`, by a patient and a clinic."""

from interpreter import CLINIC, WEBHOOK, app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_each_hears_the_other_in_their_own_language(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """And the page has every word."""
    relay_app(app)
    relay_sim.teach_translation("Me duele la cabeza.", "My head aches.", to="en-US")
    relay_sim.teach_translation("Since when?", "¿Desde cuándo?", to="es-ES")
    patient = phone("+15550001111").dials(context="clinic").hears("un momento")
    clinic = phone(CLINIC).rings().answers()
    patient.hears("todo se traduce").says("Me duele la cabeza.")
    clinic.hears("my head aches").says("Since when?")
    patient.hears("¿desde cuándo?")
    clinic.hangs_up()
    patient.is_hung_up()
    assert {page.url for page in relay_sim.webhooks} == {WEBHOOK}
    said = [page.body["content"] for page in relay_sim.webhooks if page.body["event"] == "live_translate.utterance"]
    assert said == ["Me duele la cabeza.", "Since when?"]


def test_a_patient_is_told_in_spanish_that_nobody_is_there(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """In the right voice, too."""
    relay_app(app)
    phone(CLINIC).is_busy()
    patient = phone("+15550001111").dials(context="clinic").hears("llame más tarde").is_hung_up()
    assert [sound.language for sound in patient.heard if sound.kind == "tts"] == ["es-ES", "es-ES"]
