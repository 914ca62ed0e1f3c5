"""The page of `vouch drift`: the verdict first, what moved, by how much, and the photographs that look most unusual."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vouch.drift import wording
from vouch.drift.profile import Profile
from vouch.drift.verdict import TESTS, Finding, Judgement
from vouch.errors import plural
from vouch.report import figures
from vouch.report.figures import Dot
from vouch.report.formatting import number
from vouch.report.pictures import plain_uri
from vouch.report.templates import ENVIRONMENT
from vouch.vision.images.source import File, read_image

MOST_CURVES = 12  # scores whose distributions are drawn, those that moved most first
MOST_DIRECTIONS = 12


def page(facts: Mapping[str, Any], found: Judgement, shown: Sequence[tuple[str, str]]) -> str:
    """Return the HTML of a comparison.

    Parameters
    ----------
    facts : model, path, groups_from and level
    shown : data URI and name of unusual photographs, the most unusual first
    """
    worst = found.worst()
    unmet = [wording.unmet(one, facts["level"]) for one in worst]
    return ENVIRONMENT.get_template("drift.html.j2").render(
        **facts,
        drifted=found.drifted,
        sentence=sentence(found),
        moved=[one for one in worst if one.moved],
        tests=TESTS,
        worst=worst,
        findings=found.findings,
        untested=found.untested,
        overview=_overview(worst),
        directions=_directions(found),
        curves=_curves(found),
        classes=_classes(found),
        performance=[one.result for one in found.findings if one.test == "performance"],
        sides=[("val_calib", found.reference), ("new photographs", found.window)],
        variance=sum(found.variance),
        shown=shown,
        said=wording.verdict,
        reasons=[one for one in (*unmet, *map(wording.limit_of_chance, worst)) if one],
        used=wording.used(found),
        size=size,
    )


def pictures(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the photographs of these paths as data URIs, each with its path."""
    return [(plain_uri(Image.fromarray(read_image(File(Path(name)))[..., ::-1])), name) for name in names]


def sentence(found: Judgement) -> str:
    """Return the verdict as one sentence with its counts."""
    tested, moved = found.worst(), sum(one.moved for one in found.worst())
    counts = [size(one) for one in _sides(found)]
    what = f"{moved} of {len(tested)} tests show a change" if moved else f"None of {len(tested)} tests shows a change"
    sure = "that is both larger than chance and large enough to matter"
    return f"{what} {sure}: {counts[1]} against {counts[0]} of val_calib."


def size(one: Profile) -> str:
    """Return how many photographs and groups there are, in words."""
    photographs, groups = len(one.names), len(one.groups)
    return f"{number(photographs)} {plural('photograph', photographs)} in {number(groups)} {plural('group', groups)}"


def _sides(found: Judgement) -> tuple[Profile, Profile]:
    return found.reference, found.window


def _overview(worst: Sequence[Finding]) -> str:
    rows = [_dot(one, TESTS[one.test]) for one in worst]
    return figures.dots(rows, name="overview", label="Effect of each test in units of its limit")


def _dot(one: Finding, label: str) -> Dot:
    return Dot(one.test, label, one.result.relative, None, None, 1.0, good=not one.moved)


def _directions(found: Judgement) -> str | None:
    of_embedding = [one for one in found.findings if one.test == "embedding_directions"]
    most = sorted(of_embedding, key=lambda one: -one.result.effect)[:MOST_DIRECTIONS]
    if not most:
        return None
    rows = [
        Dot("d", one.result.variable, one.result.effect, None, None, one.result.limit, good=not one.moved)
        for one in most
    ]
    return figures.dots(rows, name="directions", label="Distance of distributions along principal directions")


def _curves(found: Judgement) -> list[dict[str, Any]]:
    scored = [one for one in found.findings if one.test == "score_distribution"]
    scored = sorted(scored, key=lambda one: -one.result.effect)[:MOST_CURVES]
    return [
        {"name": one.result.variable, "finding": one, "svg": _curve(found, one, place)}
        for place, one in enumerate(scored)
    ]


def _curve(found: Judgement, one: Finding, place: int) -> str:
    name = one.result.variable
    reference, window = (side.scores[name].values for side in _sides(found))
    label = f"Distribution of {name}: distance {number(one.result.effect)}"
    return figures.distributions(reference, window, name=f"score-{place}", x_label=name, label=label)


def _classes(found: Judgement) -> list[dict[str, Any]]:
    names = found.reference.classes
    counts = [np.bincount(side.labels.values.astype(int), minlength=len(names)) for side in _sides(found)]
    totals = [int(one.sum()) for one in counts]
    return [
        {"name": name, "reference": int(counts[0][place]), "window": int(counts[1][place]), "totals": totals}
        for place, name in enumerate(names)
    ]
