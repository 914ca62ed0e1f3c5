"""Coverage of a benchmark, against a count by pandas, and against the checks of a data set that it is turned into."""

import json

import numpy as np
import pandas as pd

from curation.packs import SMALL, rows, taxonomy
from vouch.curation.benchmark.coverage import by_item, by_stratum, measure, required
from vouch.curation.benchmark.manifest import cells, read_wanted
from vouch.curation.taxonomy.label_map import map_labels
from vouch.quality import coverage as of_data

STRATA = {"light": ["day", "night"], "rain": ["dry", "wet", "snow"]}
ONE = {"rows_per_class": 1, "rows_per_negative": 1, "rows_of": {}}
WANTED = read_wanted({"strata": STRATA, "rows_per_class": 4, "rows_per_negative": 2, "rows_of": {}}, "w", SMALL)


def drawn(count):
    rng = np.random.default_rng(3)
    classes, statuses = ["jar", "tin", "toy"], ["wanted", "suggested", "resolved", "labelled", "labelled", "rejected"]
    table = pd.DataFrame({"class": rng.choice(classes, count), "status": rng.choice(statuses, count)})
    for name, values in STRATA.items():
        table[f"stratum_{name}"] = rng.choice([*values, ""], count)
    table["negative"] = np.where(table["class"] == "toy", "true", rng.choice(["false", "false", "true"], count))
    return table


def test_counts_and_holes_are_those_of_pandas():
    table = drawn(400)
    found = measure(rows(*table.to_dict("records"), strata=tuple(STRATA)), SMALL, WANTED)
    counted = (table["status"] != "rejected") & (table["stratum_light"] != "") & (table["stratum_rain"] != "")
    counted &= (table["class"] == "toy") == (table["negative"] == "true")
    inside = table[counted].assign(item=table["class"].replace({"tin": "tin_can"}))
    sizes = inside.groupby(["item", "stratum_light", "stratum_rain", "status"]).size()
    missing = 0
    assert len(found.cells) == 3 * 6
    for one in found.cells:
        key = (one.item, one.strata["light"], one.strata["rain"])
        assert {status: count for status, count in one.rows.items() if count} == sizes.loc[key].to_dict()
        assert one.wanted == (2 if one.item == "toy" else 4)
        missing += max(0, one.wanted - sizes.get((*key, "labelled"), 0))
    assert found.missing == missing > 0
    assert found.outside == table[~counted].groupby("status").size().to_dict()
    labelled = inside[inside["status"] == "labelled"]
    assert [(name, counts["labelled"]) for name, _, _, counts, _ in by_item(found)] == [
        (name, (labelled["item"] == name).sum()) for name in ("jar", "tin_can", "toy")
    ]
    for name, wanted, count, _ in by_stratum(found):
        stratum, _, value = name.partition("=")
        assert count == (labelled[f"stratum_{stratum}"] == value).sum()
        assert wanted == 10 * (3 if stratum == "light" else 2)


def test_a_whole_benchmark_lacks_nothing_and_surplus_in_one_cell_fills_no_other():
    asked = read_wanted({"strata": {"light": ["day", "night"]}, **ONE}, "w", SMALL)
    all_ = [
        {"class": name, "stratum_light": light, "negative": str(name == "toy").lower()}
        for name in ("jar", "tin", "toy")
        for light in ("day", "night")
    ]
    assert measure(rows(*all_), SMALL, asked).missing == 0
    assert measure(rows(*all_[1:], all_[1], all_[1]), SMALL, asked).missing == 1
    assert measure(rows(), SMALL, asked).missing == 6


def test_rows_of_a_heading_are_told_apart():
    found = taxonomy([{"name": "bottle", "stream": None}, {"name": "vial", "parent": "bottle"}])
    asked = read_wanted({"strata": {}, **ONE}, "w", found)
    covered = measure(rows({"class": "bottle"}, strata=()), found, asked)
    assert [(one.item, one.wanted, one.missing) for one in covered.cells] == [("bottle", 0, 0), ("vial", 1, 1)]


def test_what_a_data_set_would_need_is_taken_by_its_own_check():
    label_map = map_labels(SMALL, ["can", "tin", "sofa"], {"jar": "can"}, "labels")
    asked = required(cells(SMALL, WANTED), WANTED.strata, label_map)
    strata = {"light": ["day", "night"], "rain": ["dry", "snow", "wet"]}
    assert asked == [{"classes": ["can", "tin"], "min_count": 8, "strata": strata}]
    least = {"min_components": 4, "min_samples": 1, "min_count": 1, "min_images_per_product": None}
    section = of_data.Coverage.model_validate_json(json.dumps({**least, "of_classes": asked}))
    declared = of_data.Required(section, ("can", "tin", "sofa"), {name: tuple(each) for name, each in STRATA.items()})
    assert declared.faults() == []
    assert declared.counts()["class=tin,rain=snow"] == 8
