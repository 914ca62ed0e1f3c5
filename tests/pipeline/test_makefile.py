import re

from pipeline.graph import ROOT


def test_no_command_of_make_silences_dvc():
    """With -q DVC hides its errors too: of two runs at once the second ended with 255 and without a word."""
    text = (ROOT / "Makefile").read_text()
    assert re.search(r"\bdvc (repro|checkout)\b", text)
    assert not re.findall(r"\bdvc \w+[^|;&\n]* (?:-q|--quiet)\b", text)
