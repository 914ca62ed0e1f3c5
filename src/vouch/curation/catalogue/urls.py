"""One spelling for each web address, so that the same photograph is not taken for two."""

from collections.abc import Mapping

from url_normalize import url_normalize

from vouch.curation.benchmark.rows import Rows
from vouch.curation.catalogue.addresses import url_problem
from vouch.errors import DataError, Problem, refuse_any

MOST = 3  # times that a normal form is made normal again before it counts as none


def normal(url: str) -> str:
    """Return the normal form of a web address: its own normal form is itself.

    Scheme and host in small letters, the host in ASCII, no default port, no `.` and `..`, escapes in one form. The
    query keeps all its parameters in their order: which of them only track somebody, nobody can see.

    Examples
    --------
    >>> normal("HTTP://Example.ORG:80/a/../b%7e.jpg?utm_source=x&id=1")
    'http://example.org/b~.jpg?utm_source=x&id=1'

    Raises
    ------
    ValueError
        When it has no normal form.
    """
    for _ in range(MOST):
        found = str(url_normalize(url, filter_params=False))
        if found == url:
            return found
        url = found
    raise ValueError("each normal form has another")


def normalized(rows: Rows) -> dict[int, dict[str, str]]:
    """Return the edits that bring each url into its normal form.

    Raises
    ------
    DataError
        Listing each that is no web address, or has no normal form.
    """
    edits: dict[int, dict[str, str]] = {}
    problems: list[Problem] = []
    for index, url in enumerate(rows.column("url")):
        if not url:
            continue
        found = _normal(url, rows.where(index))
        if isinstance(found, Problem):
            problems.append(found)
        elif found != url:
            edits[index] = {"url": found}
    refuse_any(DataError, problems)
    return edits


def spelled(urls: Mapping[str, str]) -> dict[str, str]:
    """Return the normal form of each address, by what it names; one that has none stays as it is."""
    found = {name: _normal(url, name) for name, url in urls.items()}
    return {name: urls[name] if isinstance(one, Problem) else one for name, one in found.items()}


def _normal(url: str, where: str) -> str | Problem:
    if problem := url_problem(url, where):
        return problem
    try:
        found = normal(url)
    except (ValueError, UnicodeError) as error:
        return Problem(where, "a web address that has a normal form", f"{url} ({error})", "correct it")
    return url_problem(found, where) or found
