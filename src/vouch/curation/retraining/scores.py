"""How sure a model is of photographs: a table as `vouch predict --csv` writes it, or one of one's own."""

import posixpath
from collections.abc import Mapping
from pathlib import Path

from vouch.curation.benchmark import csv_text
from vouch.curation.catalogue.suggestions import entropy
from vouch.errors import DataError, Problem, refuse_any
from vouch.sources.parsing import number

PHOTOGRAPH = ("photograph", "image", "url")
SCORE = ("score", "confidence")


def read_scores(path: Path) -> Mapping[str, float]:
    """Return each photograph's or url's probability that the model is right: of several, the least sure one.

    The columns are `photograph`, `image` or `url`, and `confidence`, or else `score`; the others have no meaning here.

    Raises
    ------
    DataError
        Listing everything: what `csv_text.read` refuses, a column that is missing, a score outside [0, 1].
    """
    table = csv_text.read(path)
    names = [name for name in PHOTOGRAPH if name in table.columns]
    sure = [name for name in SCORE[::-1] if name in table.columns]
    wrong = [(" or ".join(known), found) for known, found in ((PHOTOGRAPH, names), (SCORE, sure)) if not found]
    got, remedy = ", ".join(table.columns), "rename the column that says it"
    refuse_any(DataError, (Problem(f"{path}:1", f"a column {one}", got, remedy) for one, _ in wrong))
    scores: dict[str, float] = {}
    problems: list[Problem] = []
    for index, (name, text) in enumerate(zip(table.column(names[0]), table.column(sure[0]), strict=True)):
        score = number(text)
        if score is None or not 0 <= score <= 1:
            problems.append(Problem(table.place(index), f"{sure[0]} in [0, 1]", text, "correct it"))
            continue
        key = name if "://" in name else posixpath.normpath(name)
        scores[key] = max(scores.get(key, score), score, key=entropy)
    refuse_any(DataError, problems)
    return scores
