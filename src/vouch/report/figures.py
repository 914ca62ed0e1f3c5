"""Figures as SVG text to stand inside a page: small, deterministic, in the page's own colours and type.

Matplotlib lays a figure out with its own default settings and its own typeface, so no file or font of the machine has
a say. Colours are written as CSS variables afterwards: the page decides about light, dark and paper.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO

import matplotlib.style
import numpy as np
import pandas as pd
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

# Stand-ins that no other mark of a figure has; style.css gives each variable a light and a dark value
INK, MUTED, LINE, BLUE, ORANGE, BAD = (f"#0{index}0f0{index}" for index in range(1, 7))
VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line", BLUE: "blue", ORANGE: "orange", BAD: "bad"}
CURVE_POINTS = 201  # of a distribution function: finer than a pixel, and no page of a megabyte
WIDTH_IN = 3.6  # shown about 360 px wide, on a phone and in a grid alike: 9 pt type is then 12 px
STYLE = {
    "svg.fonttype": "none",  # text stays text: sharp, searchable, in the page's face
    "text.parse_math": False,  # a class may be called $x$
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.color": LINE,
    "ytick.labelcolor": MUTED,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


@dataclass(frozen=True)
class Dot:
    """One line of a dot-and-whisker figure; a value of None is shown as missing evidence."""

    key: str
    label: str
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    good: bool


def dots(rows: Sequence[Dot], *, name: str, label: str) -> str:
    """Draw one line per stratum: the value, its interval, and the gate's limit where one is set."""

    def draw(axes: Axes) -> None:
        for place, row in enumerate(rows):
            if place and row.key != rows[place - 1].key:
                axes.axhline(place - 0.5, color=LINE, linewidth=0.8)
            _dot(axes, place, row)
        axes.set_yticks(range(len(rows)), [_short(row.label) for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.08)

    return _svg(draw, name=name, label=label, height_in=0.55 + 0.21 * len(rows))


def _dot(axes: Axes, place: int, row: Dot) -> None:
    if row.limit is not None:
        axes.plot([row.limit] * 2, [place - 0.5, place + 0.5], color=INK, linewidth=1.2, linestyle=(0, (2, 1.2)))
    if row.value is None:
        axes.text(0.5, place, "no evidence", color=BAD, ha="center", va="center", transform=axes.get_yaxis_transform())
        return
    colour = BLUE if row.good else BAD
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [place] * 2, color=colour, linewidth=2, alpha=0.55)
    axes.plot([row.value], [place], color=colour, marker="o" if row.good else "X", markersize=5 if row.good else 6)


def precision_recall(table: pd.DataFrame, point: tuple[float, float] | None, *, name: str, label: str) -> str:
    """Draw precision over recall with its band, and the operating point (recall, precision) where one is known."""

    def draw(axes: Axes) -> None:
        _band(axes, table, "recall", BLUE)
        axes.plot(table["recall"], table["precision"], color=BLUE)
        if point is not None:
            axes.plot(*point, color=ORANGE, marker="D", markersize=5, linestyle="none")
        _unit(axes, "recall", "precision")

    return _svg(draw, name=name, label=label)


def reliability(table: pd.DataFrame, *, name: str, label: str) -> str:
    """Draw accuracy over confidence with its band beside the diagonal, and where the decisions lie."""

    def draw(axes: Axes) -> None:
        counts = table["n"] / max(table["n"].max(), 1)
        axes.bar(table["confidence"], 0.22 * counts, width=0.035, color=MUTED, alpha=0.35, linewidth=0)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (3, 2)))
        _band(axes, table, "confidence", BLUE)
        axes.plot(table["confidence"], table["accuracy"], color=BLUE, marker="o", markersize=3.5)
        _unit(axes, "confidence", "share that was right")

    return _svg(draw, name=name, label=label)


def thresholds(table: pd.DataFrame, chosen: Sequence[float], *, name: str, label: str) -> str:
    """Draw recall, with its band, and precision over confidence; a line stands at each chosen threshold."""

    def draw(axes: Axes) -> None:
        _band(axes, table, "confidence", BLUE)
        axes.plot(table["confidence"], table["recall"], color=BLUE)
        axes.plot(table["confidence"], table["precision"], color=ORANGE, linestyle=(0, (5, 1.5)))
        for level in chosen:
            axes.plot([level] * 2, [0, 1], color=INK, linewidth=0.8, alpha=0.7, linestyle=(0, (2, 1.2)))
        _unit(axes, "confidence threshold", "")

    return _svg(draw, name=name, label=label)


def risk_coverage(table: pd.DataFrame, policy: float | None, *, name: str, label: str) -> str:
    """Draw the risk, with its band, over the coverage; a line stands at what the policy answers."""

    def draw(axes: Axes) -> None:
        _band(axes, table, "coverage", BLUE)
        axes.plot(table["coverage"], table["risk"], color=BLUE)
        if policy is not None:
            axes.axvline(policy, color=INK, linewidth=0.8, alpha=0.7, linestyle=(0, (2, 1.2)))
        axes.set_xlim(0, 1.02)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("coverage")
        axes.set_ylabel("risk")

    return _svg(draw, name=name, label=label)


def oscr(table: pd.DataFrame, policy: tuple[float, float], *, name: str, label: str) -> str:
    """Draw the share of known crops named rightly, with its band, over that of unknown ones accepted, and a point."""

    def draw(axes: Axes) -> None:
        _band(axes, table, "unknown_accepted", BLUE)
        axes.plot(table["unknown_accepted"], table["named_rightly"], color=BLUE)
        axes.plot(*policy, color=ORANGE, marker="D", markersize=5, linestyle="none", clip_on=False)
        _unit(axes, "unknown crops accepted", "known crops named rightly")

    return _svg(draw, name=name, label=label)


def similarity(table: pd.DataFrame, threshold: float | None, *, name: str, label: str) -> str:
    """Draw the share of each kind of crops by similarity to the nearest product; a line stands at the threshold."""
    styles = (("right", BLUE, "-", 0.2), ("unknown", ORANGE, (0, (5, 1.5)), 0.2), ("wrong", MUTED, (0, (3, 2)), 0.0))

    def draw(axes: Axes) -> None:
        for kind, colour, dashes, fill in styles:
            bins = table[table["kind"] == kind]
            if bins.empty:
                continue
            edges = np.append(bins["start"], bins["stop"].iloc[-1])
            axes.stairs(bins["share"], edges, fill=True, color=colour, alpha=fill, linewidth=0)
            axes.stairs(bins["share"], edges, color=colour, linestyle=dashes, linewidth=1.4)
        if threshold is not None:
            axes.axvline(threshold, color=INK, linewidth=0.8, alpha=0.7, linestyle=(0, (2, 1.2)))
        axes.set_ylim(bottom=0)
        axes.set_xlabel("similarity to the nearest product")
        axes.set_ylabel("share of its kind")

    return _svg(draw, name=name, label=label)


def distributions(
    reference: NDArray[np.float64], window: NDArray[np.float64], *, name: str, x_label: str, label: str
) -> str:
    """Draw two distribution functions: at each value the share of either set that lies at or below it."""

    def draw(axes: Axes) -> None:
        for values, colour, dashes in ((reference, BLUE, (0, ())), (window, ORANGE, (0, (5, 1.5)))):
            places = np.linspace(0, 1, CURVE_POINTS)
            axes.plot(np.quantile(values, places), places, color=colour, linestyle=dashes)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel(x_label)

    return _svg(draw, name=name, label=label)


def training(table: pd.DataFrame, columns: Sequence[str], *, name: str, label: str) -> str:
    """Draw columns of a training curve over the epochs."""
    styles = [(BLUE, (0, ())), (ORANGE, (0, (5, 1.5))), (INK, (0, (2, 1.2))), (BAD, (0, (6, 1.5, 1, 1.5)))]

    def draw(axes: Axes) -> None:
        for column, (colour, dashes) in zip(columns, styles, strict=False):
            axes.plot(table["epoch"], table[column], color=colour, linestyle=dashes, label=_plain(column))
        axes.set_xlabel("epoch")
        axes.margins(x=0.02)
        axes.set_ylim(bottom=0)
        axes.legend(loc="best")

    return _svg(draw, name=name, label=label)


def _band(axes: Axes, table: pd.DataFrame, x: str, colour: str) -> None:
    axes.fill_between(table[x], table["low"], table["high"], color=colour, alpha=0.2, linewidth=0)


def _unit(axes: Axes, x_label: str, y_label: str) -> None:
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)


def _plain(column: str) -> str:
    """Name a column of a training curve without the split that its figure's title says."""
    return column.removeprefix("train_").removeprefix("val_select_").replace("_", " ")


def _short(text: str, most: int = 26) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _svg(draw: Callable[[Axes], None], *, name: str, label: str, height_in: float = 2.5) -> str:
    """Draw on fresh axes and return an `<svg>` element, described by `label`, whose ids no other `name` gives."""
    stream = StringIO()
    with matplotlib.style.context(["default", STYLE | {"svg.hashsalt": name}]):
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        draw(figure.subplots())
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(stream.getvalue(), label)


def _inline(svg: str, label: str) -> str:
    """Leave what a page needs of a file: no prologue, no style rules for `*`, no fixed size, no needless names."""
    size = re.search(r'viewBox="([^"]*)"', svg)
    body = svg[svg.index("</defs>") + len("</defs>") :]  # the first <defs> holds the style rules
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"<[^>]*>", lambda tag: _tag(tag.group()), body)  # text between tags is data: left alone
    body = re.sub(r">\s+<", "><", body).strip()
    view = size.group(1) if size else ""
    return f'<svg role="img" aria-label="{escape(label)}" viewBox="{view}">{body}'


def _tag(tag: str) -> str:
    tag = re.sub(r"font-family: [^;\"]*;? ?", "", tag)
    tag = re.sub(r"(\.\d\d)\d+", r"\1", tag)  # a hundredth of a point
    tag = re.sub(r' id="(?![mp][0-9a-f]{6})[^"]*"', "", tag)  # groups' names, which nothing refers to
    tag = tag.replace("xlink:href", "href")
    for stand_in, variable in VARIABLES.items():
        tag = tag.replace(stand_in, f"var(--{variable})")
    return re.sub(r"\s*\n\s*", " ", tag)
