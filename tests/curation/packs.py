"""Packs, taxonomies and rows that tests of curation share."""

import json

from vouch.curation.benchmark.rows import IDENTITY, WRITTEN, new_rows
from vouch.curation.taxonomy.pack import read_pack
from vouch.curation.taxonomy.taxonomy import build

STREAMS = [{"id": "metal", "name": "metal"}, {"id": "glass", "name": "glass"}]


def content(items, negatives=(), **more):
    """Return a pack as JSON holds it; an item without a stream goes into metal."""
    words = {"format": 1, "municipality": "Town", "version": "1", "source": "a test", "licence": "CC0-1.0"}
    sound = [{"stream": "metal", **one} for one in items]
    return {**words, "streams": STREAMS, "items": sound, "negatives": list(negatives), **more}


def pack(items, negatives=(), **more):
    return read_pack(json.dumps(content(items, negatives, **more)), "pack.json")


def taxonomy(items, negatives=(), previous=None):
    return build(pack(items, negatives), previous, "pack.json")


SMALL = taxonomy([{"name": "tin can", "synonyms": ["tin"]}, {"name": "jar", "stream": "glass"}], [{"name": "toy"}])


def rows(*cells, strata=("light",)):
    """Return a table of rows; what a row does not say is that it is labelled, and no negative."""
    columns = (*IDENTITY, *(f"stratum_{name}" for name in strata), *WRITTEN, "sha256", "note", "group_street")
    usual = {"class": "jar", "negative": "false", "status": "labelled", "stratum_light": "day" if strata else ""}
    named = [{"row_id": f"r{place}", **usual, **one} for place, one in enumerate(cells)]
    return new_rows("rows.csv", columns, named)
