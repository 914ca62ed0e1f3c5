"""Curation of 50,000, 100,000 and 200,000 rows, in time linear in them: `PYTHONPATH=src python bench/curation.py`.

The peer of a row is the same work on a quarter of the rows, four times.
"""

import tempfile
from pathlib import Path

import numpy as np

from sides import in_turns
from vouch.curation.benchmark.coverage import measure
from vouch.curation.benchmark.manifest import Wanted, extended, read_wanted
from vouch.curation.benchmark.resolve import resolve
from vouch.curation.benchmark.rows import COLUMNS, Rows, read_rows
from vouch.curation.taxonomy.pack import read_pack
from vouch.curation.taxonomy.taxonomy import Taxonomy, build

ROOT = Path(__file__).parent.parent
SIZES = (50_000, 100_000, 200_000)
RUNS = 3
STRATA = {"light": ["day", "night"], "rain": ["dry", "wet"]}


def town(count: int) -> tuple[Taxonomy, Wanted]:
    """The sample of the repository, asking for more than as many rows."""
    pack = read_pack((ROOT / "examples/curbside/pack.json").read_text(encoding="utf-8"), "pack.json")
    taxonomy = build(pack, None, "pack.json")
    each = count // 50  # in each of 68 cells
    wanted = {"strata": STRATA, "rows_per_class": each, "rows_per_negative": each, "rows_of": {}}
    return taxonomy, read_wanted(wanted, "wanted", taxonomy)


def made_up(path: Path, taxonomy: Taxonomy, count: int) -> None:
    """Rows as people write them: words of the taxonomy, a note in quotes in every third."""
    rng = np.random.default_rng(1)
    items = [one for one in taxonomy.items if one.id != "bottle"]
    chosen = rng.integers(0, len(items), count)
    light, rain = (rng.choice(values, count) for values in STRATA.values())
    status = rng.choice(["wanted", "suggested", "resolved", "labelled", "rejected"], count)
    header = ",".join([*COLUMNS, "stratum_light", "stratum_rain", "sha256", "note"])
    notes = ('"seen, twice"', "", "seen once")
    lines = [
        f"r{place},{items[chosen[place]].name},{str(items[chosen[place]].negative).lower()},f{place}.jpg,,ours,CC0-1.0,"
        f"{status[place]},{light[place]},{rain[place]},,{notes[place % 3]}"
        for place in range(count)
    ]
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")


def tasks(path: Path, taxonomy: Taxonomy, wanted: Wanted) -> dict[str, float]:
    """Return the seconds of each piece of work on one table."""
    rows: Rows = read_rows(path)
    photographs = [f"photographs/{name}" for name in rows.column("photograph")]
    work = {
        "table of a benchmark read and checked": lambda: read_rows(path),
        "coverage of it": lambda: measure(rows, taxonomy, wanted),
        "manifest extended": lambda: extended(rows, taxonomy, wanted),
        "rows joined with as many photographs": lambda: resolve(rows, photographs, lambda name: name),
    }
    return in_turns(work, RUNS)[1]


def main() -> None:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in SIZES:
            taxonomy, wanted = town(count)
            path = Path(folder, f"{count}.csv")
            made_up(path, taxonomy, count)
            found[count] = tasks(path, taxonomy, wanted)
    small, middle, large = (found[count] for count in SIZES)
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    for what, seconds in large.items():
        told = f"{what}, 200,000 rows, against 4 × 50,000 (100,000: {middle[what]:.2f} s)"
        four = 4 * small[what]
        print(f"| {told} | {seconds:.2f} s | {four:.2f} s | {seconds / four:.2f} | <= 1.3 |")


if __name__ == "__main__":
    main()
