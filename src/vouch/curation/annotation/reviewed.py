"""What reviewers say of an annotation bundle, below `reviews/`.

reviews/NAME.json    an export of Label Studio (a list of tasks), or COCO (images, annotations, categories)
reviews/NAME/        of a detector YOLO: one .txt for each photograph, by its name
                     of a classifier or an embedder a folder for each class, with the photographs that show it
reviews/NAME.csv     image,label: one class for each photograph; of a classifier or an embedder

Label Studio keeps what several people say of one task in one file: the second is the reviewer `NAME (2)`, and so on.
"""

import posixpath
from pathlib import Path

from vouch.curation.annotation.bundle import LOCAL
from vouch.curation.annotation.exports import Pages, entries, stem
from vouch.curation.annotation.records import Kept, Labels, Manifest, Review
from vouch.errors import DataError, Problem, refuse_any
from vouch.sources.tree import inside
from vouch.tasks import ByTask

REVIEWS = "reviews"


def read_reviews(folder: Path, manifest: Manifest) -> tuple[dict[str, Review], list[Problem]]:
    """Return what each reviewer says, by name, and what is wrong with the files; several files of one name are one.

    A photograph that a person left without an answer is in no review of theirs.
    """
    pages = {stem(page.image): page for page in manifest.photographs}
    found: dict[str, dict[str, Labels]] = {}
    problems: list[Problem] = []
    for path in sorted((folder / REVIEWS).glob("*")):
        who = path.name if path.is_dir() else path.stem  # a folder has no suffix: anna.1 and anna.2 are two
        found.setdefault(who, {})
        try:
            for person, name, labels in entries(path, manifest, pages):
                page = _page(name, str(path), pages)
                mine = found.setdefault(who if person == 1 else f"{who} ({person})", {})
                if isinstance(page, Problem):
                    problems.append(page)
                elif ANSWERS[manifest.task] or labels != Labels() or page.negative:
                    _take(mine, page, labels, path, problems)
        except DataError as error:
            problems += error.problems
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            problems.append(Problem(str(path), "a review in one of the known forms", repr(error), "export it again"))
    return dict(found), problems


ANSWERS = ByTask(  # whether nothing at all is an answer: of boxes, and else on a negative alone, which is of no class
    detect=True, classify=False, identify=False
)


def _take(mine: dict[str, Labels], page: Kept, labels: Labels, path: Path, problems: list[Problem]) -> None:
    if mine.setdefault(page.image, labels) != labels:
        where, remedy = f"{path}: {page.image}", "keep what holds"
        problems.append(Problem(where, "each photograph once", "it again, labelled otherwise", remedy))


def _page(name: str, where: str, pages: Pages) -> Kept | Problem:
    """Return the photograph that an entry names: by its path in the bundle, or its name alone."""
    plain = name.partition("?d=")[2] or name.removeprefix(LOCAL)
    if inside(plain) is None:
        return Problem(f"{where}: {name}", "a path within the bundle", "one that leaves it", "correct it")
    page = pages.get(stem(plain))
    if page is None or (posixpath.dirname(plain) and not page.image.endswith(plain)):
        return Problem(f"{where}: {name}", "a photograph of the bundle", "another", "remove it, or correct its name")
    return page


def need_reviews(folder: Path) -> None:
    """Return when there is a review.

    Raises
    ------
    DataError
        When there is none.
    """
    expected, remedy = "what reviewers exported", "export NAME.json, NAME.csv or a folder NAME into it"
    none = not any((folder / REVIEWS).glob("*"))
    refuse_any(DataError, [Problem(str(folder / REVIEWS), expected, "nothing", remedy)] if none else [])
