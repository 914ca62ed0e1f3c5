"""A catalogue that the web gives as JSON: pages that list photographs, each with a url, a label and a licence.

A page is an object. `items` leads to its list, `next` to the address of the page after it (absent or null on the
last), both as keys joined by dots: `results`, `paging.next`. `fields` lead within an item to what a candidate is made
of: `url`, `class`, `license`, `source`, `negative` and `stratum_<name>`; a list along the way is entered by a number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vouch.curation.catalogue.addresses import joined
from vouch.curation.catalogue.catalogue import KNOWN, Candidate, Terms, candidates
from vouch.curation.catalogue.fetching import Fetch, Fetched, Kind
from vouch.documents import DocumentError, decoded, parse_json
from vouch.errors import DataError, Problem, refuse_any
from vouch.names import shown
from vouch.tables import STRATUM

FIELDS = tuple(name for name in KNOWN if name != "photograph")
NEEDED = ("url", "class")


@dataclass(frozen=True)
class Form:
    """Where a source keeps what: `items`, `next` ('' where there is one page) and the fields of an item."""

    items: str
    next: str
    fields: Mapping[str, str]


def form_of(items: str, next_: str, words: list[str]) -> Form:
    """Return the form that the words of a command state: `NAME=PATH`; a field that none names has its own name.

    Raises
    ------
    DataError
        For words of another form, a field that nobody knows, and one that is named twice.
    """
    fields = {name: name for name in FIELDS}
    pairs = [word.partition("=")[::2] for word in words]
    names = [name for name, _ in pairs]
    expected = f"NAME=PATH, each NAME once, one of {', '.join(FIELDS)} or stratum_<name>"
    wrong = [
        word
        for word, (name, path) in zip(words, pairs, strict=True)
        if not path or names.count(name) > 1 or (name not in FIELDS and not name.startswith(STRATUM))
    ]
    refuse_any(DataError, (Problem("--field", expected, repr(word), "correct the option") for word in wrong))
    return Form(items, next_, fields | dict(pairs))


def of_web(url: str, form: Form, terms: Terms, fetch: Fetch, kind: Kind, *, most_pages: int) -> list[Candidate]:
    """Return what a JSON source lists, page by page, in its order.

    Raises
    ------
    DataError
        When an answer is refused (`fetching`), is no JSON of the form, leads in a circle or to more than `most_pages`,
        and for what `catalogue.candidates` refuses.
    """
    rows: list[tuple[str, Mapping[str, str]]] = []
    asked: list[str] = []
    following: str | None = url
    while following:
        if following in asked or len(asked) == most_pages:
            got = "one that was read already" if following in asked else "one more"
            expected = f"at most {most_pages} pages, each another (curate.fetch.pages)"
            raise DataError([Problem(url, expected, got, "narrow the search, or raise the limit")])
        asked.append(following)
        page = fetch(following, kind)
        content = _content(page)
        rows += _rows(content, form, following)
        following = _next(content, form, page.url)
    return candidates(rows, terms, None)


def _content(page: Fetched) -> dict[str, Any]:
    try:
        content = parse_json(decoded(page.content, page.url), page.url)
    except DocumentError as error:
        raise DataError(error.problems) from error
    if not isinstance(content, dict):
        raise DataError([Problem(page.url, "a JSON object", type(content).__name__, "name the address of a page")])
    return content


def _rows(content: dict[str, Any], form: Form, where: str) -> Iterator[tuple[str, dict[str, str]]]:
    items = _at(content, form.items)
    if not isinstance(items, list):
        remedy = "let --items lead to the list, as keys joined by dots"
        raise DataError([Problem(f"{where}: {form.items}", "a list", _kind(items), remedy)])
    problems: list[Problem] = []
    for number, item in enumerate(items):
        place = f"{where}: {form.items}[{number}]"
        row = {name: _at(item, path) for name, path in form.fields.items()}
        problems += _item_problems(row, form, place)
        yield place, {name: _text(value) for name, value in row.items() if value is not None}
    refuse_any(DataError, problems)


def _item_problems(row: Mapping[str, Any], form: Form, place: str) -> Iterator[Problem]:
    for name, value in row.items():
        where = f"{place}.{form.fields[name]}"
        if value is None and name in NEEDED:
            yield Problem(where, f"a {name}", "nothing", f"say where it stands: --field {name}=PATH")
        elif isinstance(value, dict | list):
            yield Problem(where, "text", _kind(value), f"let --field {name} lead further in")


def _next(content: dict[str, Any], form: Form, here: str) -> str | None:
    found = _at(content, form.next) if form.next else None
    if found is None or found == "":
        return None
    if not isinstance(found, str):
        remedy = "let --next lead to the address of the page that follows"
        raise DataError([Problem(f"{here}: {form.next}", "a web address or null", shown(found), remedy)])
    return joined(here, found)


def _at(content: Any, path: str) -> Any:
    """Return what keys joined by dots lead to, None where they lead nowhere."""
    for key in path.split("."):
        if isinstance(content, list) and key.isdecimal() and len(key) < 7 and int(key) < len(content):
            content = content[int(key)]
        elif isinstance(content, dict):
            content = content.get(key)
        else:
            return None
    return content


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", type(None): "nothing", str: "text"}
    return names.get(type(value), "a number or truth value")
