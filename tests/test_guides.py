"""What README, guides and notebooks tell a person to type exists: every command of `vouch`, and every option of it."""

import json
import re
from pathlib import Path

import pytest
import typer

from vouch.cli import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "notebooks/*.ipynb", "examples/**/*.yaml", "params.yaml", "presets/*.yaml")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"  # it tells what was, too
)
BLOCK = re.compile(r"^(?:    |\t|>>> )(?:\$ )?(vouch .*)$", re.MULTILINE)  # a line of an indented block
SPAN = re.compile(r"`(?:\$ )?(vouch [^`]+)`")
GIVEN = re.compile(r"""run\(f?"(vouch .*?)["{]""")  # by a notebook
GUIDE = ROOT / "docs/guides/curbside.md"
PLAYBOOK = (  # the scripts of repath's playbook, in its order
    *("build_taxonomy", "build_benchmark_manifest", "check_benchmark_coverage"),
    *("suggest_benchmark_from_kaggle", "suggest_benchmark_online"),
    *("normalize_benchmark_labeled_urls", "dedupe_benchmark_labeled"),
    *("build_retraining_manifest", "build_annotation_bundle", "validate_annotation_bundle"),
    *("train_detector_from_annotation", "build_supported_holdout_manifest", "build_resolved_benchmark_manifest"),
    *("benchmark_candidate_model", "compare_benchmark_results", "promote_candidate_model"),
    *("build_release", "verify_release"),
)


def tree(command=None, words=("vouch",)):
    """Yield each command by its words, with the options that it takes."""
    command = command or typer.main.get_command(app)
    options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    yield words, options
    for name, below in getattr(command, "commands", {}).items():
        yield from tree(below, (*words, name))


KNOWN = dict(tree())


def said(text):
    """Return each command line that a page names, one line each."""
    return [" ".join(line.split()) for form in (BLOCK, SPAN, GIVEN) for line in form.findall(text)]


def text_of(path):
    """Return a page's text; of a notebook, its cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


def wrong(line):
    """Return what of a command line does not exist, '' where all of it does."""
    words = re.split(r" [|>&#] ?| \\$|[;…]", line)[0].split()
    known = ("vouch",)
    while len(known) < len(words) and (*known, words[len(known)]) in KNOWN:
        known = (*known, words[len(known)])
    below = [name for name in KNOWN if name[: len(known)] == known and len(name) > len(known)]
    if len(known) < len(words) and below and re.fullmatch(r"[a-z][a-z-]*", words[len(known)]):
        return " ".join(words[: len(known) + 1])
    options = {word.partition("=")[0].rstrip(".,:)") for word in words[len(known) :] if re.match(r"--?[a-z]", word)}
    return " ".join(sorted(options - KNOWN[known]))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_that_a_page_names_exists(page):
    assert {line: wrong(line) for line in said(text_of(ROOT / page)) if wrong(line)} == {}


def test_the_search_finds_commands_in_every_form_and_what_is_wrong_with_them():
    text = "    $ vouch curate check out\nsay `vouch curate bundel x`, or\n    vouch compare M --basline v1\n"
    assert said(text) == ["vouch curate check out", "vouch compare M --basline v1", "vouch curate bundel x"]
    assert [wrong(line) for line in said(text)] == ["", "--basline", "vouch curate bundel"]
    assert said('run(f"vouch curate check {work}")') == ["vouch curate check"]
    assert wrong("vouch nothing") == "vouch nothing"


def rows_of_the_playbook():
    table = GUIDE.read_text(encoding="utf-8").partition("## The published playbook")[2]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    return dict(re.fullmatch(r"\| `(\w+)` \| (.+) \|", line).groups() for line in lines)


def test_the_guide_maps_every_command_of_the_published_playbook_to_one_of_ours():
    rows = rows_of_the_playbook()
    assert tuple(rows) == PLAYBOOK
    for name, ours in rows.items():
        assert re.search(r"`(vouch|dvc|make) [^`]+`", ours), name
