"""A catalogue: photographs that might be had, each with what it shows, where it came from and under which licence.

A folder of photographs is one: the folder that holds a photograph is its label, so a downloaded archive will do. A CSV
is one: `photograph` (or `file`, `image`: a path from the CSV's folder) or `url` or both, `class` (or `label`), and
where it has them `license`, `source`, `negative` (true, false) and `stratum_<name>`.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vouch.curation.benchmark import csv_text
from vouch.curation.benchmark.csv_text import Table
from vouch.curation.benchmark.rows import NEGATIVE
from vouch.curation.catalogue.addresses import url_problem
from vouch.errors import DataError, Problem, refuse_any
from vouch.names import closest, shown
from vouch.sources.tree import photographs_below
from vouch.sources.vocabulary import is_fit
from vouch.tables import STRATUM

SAME = {"file": "photograph", "image": "photograph", "label": "class"}  # other names of columns
KNOWN = ("photograph", "url", "class", "license", "source", "negative")


@dataclass(frozen=True)
class Candidate:
    """One photograph that might be had.

    Attributes
    ----------
    name : class, in the words of the benchmark
    negative : nothing of the class is on it, though one might think so
    strata : stratum column to value, where the catalogue states it
    photograph : a file, from the working directory, POSIX; '' where there is only a url
    url : where the web has it; '' where there is only a file
    source : which catalogue, and what it is called there
    license : under which it may be used
    """

    name: str
    negative: bool
    strata: tuple[tuple[str, str], ...]
    photograph: str
    url: str
    source: str
    license: str

    @property
    def key(self) -> str:
        """What tells it from every other: its file, or else its url."""
        return self.photograph or self.url


@dataclass(frozen=True)
class Terms:
    """What a person says of a whole catalogue.

    Attributes
    ----------
    name : of the catalogue, the beginning of each `source`
    license : of the photographs that state none themselves; '' where nobody knows
    negative : whether photographs that do not say it are negatives of their labels
    labels : label to class; None drops the label; one that is not in it is a class itself
    """

    name: str
    license: str
    negative: bool
    labels: Mapping[str, str | None]


def of_folder(folder: Path, terms: Terms) -> list[Candidate]:
    """Return the photographs below a folder, in order of their paths, each labelled by the folder that holds it.

    Raises
    ------
    DataError
        When there is none, one lies in no folder, a folder's name is no label, or nobody knows the licence.
    """
    found = [path.relative_to(folder) for path in photographs_below(folder)]
    if not found:
        raise DataError([Problem(str(folder), "photographs", "none", "name a folder that holds some")])
    rows = [{"photograph": path.as_posix(), "class": path.parent.name, "source": path.as_posix()} for path in found]
    return candidates(zip(map(str, found), rows, strict=True), terms, folder)


def of_table(path: Path, terms: Terms, ignore: Collection[str] = ()) -> list[Candidate]:
    """Return the photographs that a CSV lists, in its order; files lie below the folder that holds it.

    Raises
    ------
    DataError
        Listing everything: what `csv_text.read` refuses, missing and unknown columns, and what `candidates` refuses.
    """
    table = csv_text.read(path)
    refuse_any(DataError, _column_problems(table, ignore))
    names = [SAME.get(name, name) for name in table.columns]
    kept = [place for place, name in enumerate(table.columns) if name not in ignore]
    rows = ({names[place]: record.cells[place] for place in kept} for record in table.records)
    return candidates(((table.place(index), row) for index, row in enumerate(rows)), terms, path.parent)


def candidates(rows: Iterable[tuple[str, Mapping[str, str]]], terms: Terms, folder: Path | None) -> list[Candidate]:
    """Return what a catalogue lists, without the labels that are dropped.

    Parameters
    ----------
    rows : where each stands, and its cells by `KNOWN` and `stratum_<name>`
    folder : where the files of `photograph` lie; None for a catalogue that has none

    Raises
    ------
    DataError
        Listing each row without a label, a licence, a file that is there, a web address or a sound `negative`, with a
        formula in a cell, each photograph that is listed twice, and each label of the terms that no row has.
    """
    found: dict[str, Candidate] = {}
    problems: list[Problem] = []
    had = set()
    for where, row in rows:
        label = row.get("class", "")
        had.add(label)
        name = terms.labels.get(label, label)
        if name is None:
            continue
        one = _candidate(row, name, terms, folder)
        problems += _problems(row, one, where, folder)
        if one.key in found and one.key:
            problems.append(Problem(where, "each photograph once", f"{one.key} again", "remove one of the rows"))
        found[one.key] = one
    for label in sorted(terms.labels.keys() - had):
        problems.append(Problem(f"--label-map {label}", "a label of the catalogue", "none", closest(label, had)))
    refuse_any(DataError, problems)
    return list(found.values())


def _candidate(row: Mapping[str, str], name: str, terms: Terms, folder: Path | None) -> Candidate:
    file, url = row.get("photograph", ""), row.get("url", "")
    told = row.get("source", "") or file or url
    negative = row.get("negative", "")
    return Candidate(
        name=name,
        negative=negative == "true" if negative else terms.negative,
        strata=tuple(sorted((key, value) for key, value in row.items() if key.startswith(STRATUM) and value)),
        photograph=_from_here(folder, file) if file and folder is not None else "",
        url=url,
        source=f"{terms.name}: {told}",
        license=row.get("license", "") or terms.license,
    )


def _from_here(folder: Path, file: str) -> str:
    """Return the path from the working directory: an absolute one would hold on this machine alone."""
    return Path(os.path.relpath(folder / file)).as_posix()


def _problems(row: Mapping[str, str], one: Candidate, where: str, folder: Path | None) -> Iterator[Problem]:
    yield from csv_text.cell_problems({**row, "class": one.name}, where)
    if not is_fit(one.name):
        expected, remedy = "a label without outer spaces", "put it into a folder named by its label, or fill `class`"
        yield Problem(where, expected, shown(one.name), remedy)
    if not one.license:
        remedy = "give --license, or a column `license`"
        yield Problem(where, "a licence under which it may be used", "none", remedy)
    if row.get("negative", "") not in ("", *NEGATIVE):
        yield Problem(where, "negative: true, false or nothing", shown(row["negative"]), "write one of them")
    if not one.key:
        yield Problem(where, "a photograph or a url", "neither", "fill one of them")
    if one.url and (problem := url_problem(one.url, where)):
        yield problem
    if one.photograph and folder is not None:
        yield from _file_problems(one.photograph, where, folder)


def _file_problems(photograph: str, where: str, folder: Path) -> Iterator[Problem]:
    """Say what is wrong with a file that a catalogue lists: it is there, and in the catalogue's folder."""
    path = Path(photograph)
    if not path.resolve().is_relative_to(folder.resolve()):
        yield Problem(where, f"a file in {folder}", photograph, "correct the path")
    elif not path.is_file():
        yield Problem(where, "a file", f"nothing at {photograph}", "correct the path, or bring the file")


def _column_problems(table: Table, ignore: Collection[str]) -> Iterator[Problem]:
    where = f"{table.where}:1"
    for name in ignore:
        if name not in table.columns:
            yield Problem(f"--ignore {name}", f"a column of {table.where}", "none", closest(name, table.columns))
    kept = [name for name in table.columns if name not in ignore]
    known = [SAME.get(name, name) for name in kept]
    for name in sorted({name for name in known if known.count(name) > 1}):
        yield Problem(where, f"one column of `{name}`", "several", "leave the others out with --ignore")
    if "class" not in known:
        yield Problem(where, "a column `class` or `label`", ", ".join(kept), "name the column of the labels")
    if not {"photograph", "url"} & set(known):
        yield Problem(where, "a column `photograph` or `url`", ", ".join(kept), "name the column of the photographs")
    for name, means in zip(kept, known, strict=True):
        if means not in KNOWN and not name.startswith(STRATUM):
            remedy = f"--ignore {name}, or rename it: {closest(name, KNOWN)}"
            yield Problem(where, f"one of {', '.join(KNOWN)} or stratum_<name>", name, remedy)
