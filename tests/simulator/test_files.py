"""What can be fetched, and the PDF of a fax."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.files import BOUND, Files, pdf


def test_a_file_is_found_by_its_url_wherever_the_server_is_now():
    """A server may have been started again on another port since the URL was told."""
    bases = ["http://127.0.0.1:1"]
    files = Files(lambda: bases[0])
    url = files.url("/rec/a.wav")
    files.keep(url, "audio/wav", lambda: b"wav")
    bases[0] = ""

    assert url == "http://127.0.0.1:1/rec/a.wav"
    assert files.url("/rec/a.wav") == "https://files.example.com/rec/a.wav"
    for known in (url, "https://files.example.com/rec/a.wav", "/rec/a.wav", "/rec/a.wav?download=1"):
        file = files.find(known)
        assert file is not None
        assert (file.content_type, file.make()) == ("audio/wav", b"wav")
    assert files.find("/rec/b.wav") is None


def test_nothing_is_made_before_somebody_asks():
    made = []
    files = Files(lambda: "")
    files.keep("/a", "text/plain", lambda: made.append("a") or b"a")
    assert made == []
    file = files.find("/a")
    assert file is not None
    file.make()
    assert made == ["a"]


def test_the_oldest_file_goes_when_there_are_too_many():
    files = Files(lambda: "")
    for number in range(BOUND + 1):
        files.keep(f"/{number}", "text/plain", bytes)

    assert files.find("/0") is None
    assert files.find("/1") is not None
    assert len(files.paths()) == BOUND


@given(st.lists(st.text(max_size=6), min_size=1, max_size=5))
def test_a_pdf_has_its_pages_and_every_object_where_its_table_says(pages: list[str]):
    """A reader finds objects by the offsets at the end of the file."""
    made = pdf(pages)
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n$", made)[0])
    head, _, table = made[start:].partition(b"\n0000000000 65535 f \n")
    entries = re.findall(rb"^(\d{10}) 00000 n $", table, re.MULTILINE)

    assert head == b"xref\n0 %d" % (len(entries) + 1)
    for number, offset in enumerate(entries, start=1):
        assert made[int(offset) :].startswith(b"%d 0 obj\n" % number)
    assert b"/Count %d " % len(pages) in made
    assert len(re.findall(rb"/Type /Page /Parent 2 0 R", made)) == len(pages)


def test_the_stream_of_a_page_is_as_long_as_it_says():
    """Also with letters that have to be escaped, or that the font does not have."""
    for text in ("Fax (1\\2)", "Grüße", "日本"):
        made = pdf([text])
        [(length, drawing)] = re.findall(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", made)
        assert len(drawing) == int(length)
    assert rb"(Fax \(1\\2\))" in pdf(["Fax (1\\2)"])


def test_what_is_no_url_names_no_file():
    files = Files(lambda: "")
    files.keep(files.url("/a"), "text/plain", bytes)
    assert files.find("http://[bad/a") is None
