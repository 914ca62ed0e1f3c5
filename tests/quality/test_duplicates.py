import numpy as np
import pandas as pd
import pytest

from vouch.quality import duplicates
from vouch.quality.duplicates import correlation, find_duplicates


def photographs(rows):
    """Rows of (sample_id, sha256, phash, thumbnail seed, group, classes)."""
    scan = pd.DataFrame(
        {
            "sample_id": [row[0] for row in rows],
            "sha256": [row[1] for row in rows],
            "phash": np.array([row[2] for row in rows], dtype=np.uint64),
            "thumbnail": [np.random.default_rng(row[3]).integers(0, 256, 256, np.uint8).tobytes() for row in rows],
        }
    )
    said = pd.DataFrame({"objects": [row[5] and f"1 {row[5]}" for row in rows], "classes": [row[5] for row in rows]})
    return scan, said, np.array([row[4] for row in rows])


def find(rows, radius_bits=6):
    found = find_duplicates(*photographs(rows), radius_bits=radius_bits, min_correlation=0.9)
    issues = pd.concat(found.findings, ignore_index=True)
    return sorted(zip(issues["check"], issues["sample_id"], strict=True)), found


def test_same_pixels_are_an_exact_duplicate_reported_on_the_later_sample():
    issues, found = find([("a", "x", 0, 1, 0, "can"), ("b", "y", 2**40 - 1, 2, 0, "can"), ("c", "x", 0, 1, 0, "can")])
    assert issues == [("exact_duplicate", "c")]
    assert found.clusters.to_numpy().tolist() == [["a", "a"], ["c", "a"]]
    assert found.counts["exact_copies"] == 1


def test_same_pixels_in_two_groups_with_two_labels():
    issues, _ = find([("a", "x", 0, 1, 0, "can"), ("b", "x", 0, 1, 1, "glass"), ("c", "x", 0, 1, 0, "can")])
    assert issues == [
        ("contradicting_exact", "a"),
        ("contradicting_exact", "b"),
        ("contradicting_exact", "c"),
        ("exact_across_groups", "b"),
        ("exact_duplicate", "b"),
        ("exact_duplicate", "c"),
    ]


def test_a_contradiction_names_the_copy_that_says_otherwise():
    rows = [
        ("a", "x", 0, 1, 0, "can"),
        ("b", "x", 0, 1, 0, "can"),
        ("c", "x", 0, 1, 0, "glass"),
        ("d", "x", 0, 1, 0, ""),
    ]
    issues = pd.concat(find(rows)[1].findings)
    said = issues[issues["check"] == "contradicting_exact"].set_index("sample_id")["detail"]
    assert said.to_dict() == {
        "a": "1 can; same pixels as c with 1 glass",
        "b": "1 can; same pixels as c with 1 glass",
        "c": "1 glass; same pixels as a with 1 can",
        "d": "nothing; same pixels as a with 1 can",
    }


def test_alike_pictures_with_two_labels_across_groups():
    issues, found = find([("a", "x", 0, 1, 0, "can"), ("b", "y", 0b111111, 1, 1, "glass")])
    assert issues == [
        ("contradicting_near", "a"),
        ("contradicting_near", "b"),
        ("near_across_groups", "b"),
        ("near_duplicate", "b"),
    ]
    assert found.counts["near_pairs_across_groups"] == 1


def test_hashes_that_agree_by_chance_are_not_near():
    assert find([("a", "x", 0, 1, 0, "can"), ("b", "y", 0, 2, 1, "can")])[0] == []


def test_hashes_beyond_the_radius_are_not_near():
    assert find([("a", "x", 0, 1, 0, "can"), ("b", "y", 0b1111111, 1, 1, "can")])[0] == []


def test_nobody_looked_is_no_contradiction():
    assert "contradicting_exact" not in dict(find([("a", "x", 0, 1, 0, "can"), ("b", "x", 0, 1, 0, None)])[0])
    assert "contradicting_near" not in dict(find([("a", "x", 0, 1, 0, "can"), ("b", "y", 0, 1, 0, None)])[0])


def test_an_empty_photograph_contradicts_a_labelled_copy():
    assert "contradicting_exact" in dict(find([("a", "x", 0, 1, 0, "can"), ("b", "x", 0, 1, 0, "")])[0])


def test_clusters_chain_and_take_copies_along():
    rows = [
        ("a", "1", 0, 1, 0, ""),
        ("b", "2", 0x3F, 1, 0, ""),
        ("c", "3", 0xFFF, 1, 0, ""),
        ("d", "3", 0xFFF, 1, 0, ""),
    ]
    _, found = find([*rows, ("e", "4", 2**64 - 1, 1, 0, "")])
    assert found.clusters.to_numpy().tolist() == [["a", "a"], ["b", "a"], ["c", "a"], ["d", "a"]]


def test_clusters_do_not_depend_on_how_often_pairs_are_folded(monkeypatch):
    generator = np.random.default_rng(5)
    rows = [(f"{i:03d}", str(i), int(generator.integers(0, 4096)), 1, int(i % 7), "can") for i in range(150)]
    whole = find(rows, radius_bits=2)
    monkeypatch.setattr(duplicates, "FOLDED", 10)
    monkeypatch.setattr(duplicates, "COMPARED", 7)
    folded = find(rows, radius_bits=2)
    assert folded[0] == whole[0]
    assert folded[1].clusters.equals(whole[1].clusters)
    assert folded[1].counts == whole[1].counts


def test_no_photographs():
    assert find([])[0] == []


def test_correlation_is_pearsons():
    generator = np.random.default_rng(0)
    one, other = generator.integers(0, 256, (2, 5, 256), dtype=np.uint8)
    other[1] = 255 - one[1]
    expected = [np.corrcoef(a.astype(float), b.astype(float))[0, 1] for a, b in zip(one, other, strict=True)]
    assert correlation(one, other) == pytest.approx(expected, abs=1e-9)
    extreme = np.full((1, 256), 255, dtype=np.uint8)
    assert correlation(extreme, extreme).tolist() == [0.0]
