"""What the photographs of a folder share, by the rules of `vouch import`, before anybody labels them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from vouch.curation.retraining.unlabelled import Unlabelled
from vouch.errors import DataError, ManifestError, Problem, refuse_any
from vouch.names import closest
from vouch.params import load
from vouch.sources.descriptor import OPTIONS, Descriptor, check_descriptor
from vouch.sources.options import rules_of
from vouch.sources.records import Record
from vouch.sources.rules import placed
from vouch.stages import ingest
from vouch.tables import GROUP, STRATUM

RULES = "KEY=folder:LEVEL (1 outermost, -1 innermost), KEY=name:REGEX (one group), KEY=value:TEXT"
Groups = Annotated[list[str] | None, typer.Option(help=f"Leakage key of a FOLDER's photographs: {RULES}.")]
Strata = Annotated[list[str] | None, typer.Option(help="Stratum of a FOLDER's photographs, written like --group.")]


def rules(dataset: str, group: Sequence[str], strata: Sequence[str]) -> Descriptor:
    """Return the rules of the options.

    Raises
    ------
    ManifestError
        Listing rules of another form, and keys that the data set does not have.
    """
    groups, values = rules_of(group, default_key="group"), rules_of(strata, default_key=None)
    taxonomy = load(ingest.Params, "datasets", dataset, "ingest").taxonomy()
    wrong = [*_wrong("--group", groups, taxonomy.group_keys), *_wrong("--strata", values, taxonomy.strata)]
    refuse_any(ManifestError, wrong)
    content = {"name": "candidates", "format": "imagefolder", "unlabelled": "refuse"}
    return check_descriptor(content | {"groups": groups, "strata": values}, OPTIONS)


def stated(folder: Path, candidates: Sequence[Unlabelled], descriptor: Descriptor) -> list[Unlabelled]:
    """Return candidates of a folder with what they share.

    Raises
    ------
    DataError
        Naming each photograph in which a rule finds nothing.
    """
    images = [Path(one.photograph).relative_to(folder).as_posix() for one in candidates]
    bare = [Record(image, one.photograph, "missing") for image, one in zip(images, candidates, strict=True)]
    records, problems = placed(bare, None, descriptor)
    refuse_any(DataError, problems)
    return [
        replace(one, groups=_columns(GROUP, record.groups), strata=_columns(STRATUM, record.strata))
        for one, record in zip(candidates, records, strict=True)
    ]


def _columns(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}{key}": value for key, value in values.items()}


def _wrong(option: str, rules: Mapping[str, Mapping[str, Any]], known: Collection[str]) -> Iterator[Problem]:
    for key, rule in rules.items():
        if key not in known:
            yield Problem(option, f"a key of the data set: {', '.join(known) or 'none'}", key, closest(key, known))
        if "column" in rule:
            yield Problem(option, RULES, f"a column, {rule['column']}", "a folder has none; a table (.csv) states them")
