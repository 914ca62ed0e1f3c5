"""`vouch gallery`: products come and go by name, and nothing else changes."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from vouch.commands import gallery
from vouch.errors import DataError, ParamsError
from vouch.retrieval.additions import Addition, read_additions, to_text

TABLE = Path("data/gallery/sku/additions.csv")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An embedder that train taught two products; DVC is asked for nothing."""
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(gallery, "dvc", lambda *words, remedy: asked.append(words))
    Path("params.yaml").write_text(
        '{"pipeline": {"galleries": {"sku": {"judged_as": "sku", "dataset": "shelf"}, "sku_int8": {"judged_as": "sku", '
        '"dataset": "shelf"}}, "systems": {"counter": {"identifier": "sku_int8"}, "other": {"identifier": "cans"}}}}'
    )
    for path, text in (
        ("models/sku/labels.json", '{"classes": ["tea", "cola", "caf\\u00e9"]}'),
        (TABLE, "product,photograph,sha256\n"),
    ):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    for number in range(3):
        Image.new("RGB", (20, 30), (80 * number, 0, 0)).save(f"p{number}.png")
    return asked


def test_an_added_product_is_listed_with_its_photographs_by_their_content(workspace, capsys):
    gallery.add("sku", "oat milk", [Path("p0.png"), Path("p1.png")])
    (one,) = read_additions(TABLE)
    digests = [hashlib.sha256(Path(f"p{number}.png").read_bytes()).hexdigest() for number in (0, 1)]
    assert one == Addition(
        "oat milk", tuple((TABLE.parent / f"photographs/{digest[:16]}.png", digest) for digest in digests)
    )
    assert [path.read_bytes() for path, _ in one.photographs] == [Path(f"p{n}.png").read_bytes() for n in (0, 1)]
    assert workspace == [("add", "data/gallery/sku/photographs")]
    capsys.readouterr()
    gallery.list_("sku")
    assert capsys.readouterr().out.splitlines() == [
        "caf\u00e9: of train",
        "cola: of train",
        "oat milk: added, 2 photographs",
        "tea: of train",
        "4 products in all",
    ]


def test_a_product_goes_and_may_come_again_with_other_photographs(workspace):
    gallery.remove("sku", "tea")
    with pytest.raises(DataError, match="none of them"):
        gallery.remove("sku", "tea")
    gallery.add("sku", "tea", [Path("p2.png")])
    found = read_additions(TABLE)
    assert [(one.product, one.removed) for one in found] == [("tea", True), ("tea", False)]


def test_the_same_photograph_twice_counts_once(workspace):
    Path("again.png").write_bytes(Path("p0.png").read_bytes())
    gallery.add("sku", "oat milk", [Path("p0.png"), Path("again.png")])
    assert len(read_additions(TABLE)[0].photographs) == 1


@pytest.mark.parametrize(
    ("name", "suffix"), [("p.PNG", ".png"), ("p.png~", ""), ("p.png from the phone", ""), ("p.\u00e9", ""), ("p", "")]
)
def test_a_photograph_of_whatever_name_can_be_read_back_from_the_table(workspace, name, suffix):
    Path("p0.png").rename(name)
    gallery.add("sku", "oat milk", [Path(name)])
    ((path, digest),) = read_additions(TABLE)[0].photographs
    assert (path.name, path.is_file()) == (digest[:16] + suffix, True)


@pytest.mark.parametrize(
    ("product", "photograph", "expected"),
    [
        ("tea", "p0.png", "a product that the gallery does not know"),
        ("TEA", "p0.png", "a name that no other product has"),
        (" ", "p0.png", "a name without control characters"),
        ("oat", "absent.png", "a photograph, or a folder of them"),
        ("oat", "models/sku/labels.json", "no known format"),
    ],
)
def test_what_cannot_be_added_is_refused_and_changes_nothing(workspace, product, photograph, expected):
    with pytest.raises(DataError, match=expected):
        gallery.add("sku", product, [Path(photograph)])
    assert read_additions(TABLE) == []
    assert not (TABLE.parent / "photographs").exists()


def test_a_model_without_a_gallery_is_refused(workspace):
    with pytest.raises(ParamsError, match=r"pipeline\.galleries"):
        gallery.list_("driver")


def test_an_embedder_that_was_never_exported_says_what_to_run(workspace):
    Path("models/sku/labels.json").unlink()
    with pytest.raises(DataError, match="dvc repro export@sku"):
        gallery.list_("sku")


@pytest.mark.parametrize(
    "text",
    ["[]", "null", "3", '"tea"', "{}", '{"classes": "tea"}', '{"classes": [[]]}', '{"classes": ["a", "a"]}'],
)
def test_labels_that_are_none_are_refused_by_name(workspace, text):
    Path("models/sku/labels.json").write_text(text)
    for command in (lambda: gallery.list_("sku"), lambda: gallery.remove("sku", "tea")):
        with pytest.raises(DataError, match=r"models/sku/labels\.json: expected"):
            command()


def test_a_table_read_back_is_the_same(workspace):
    both = [Addition("tea", ()), Addition('a "b", c', ((TABLE.parent / "photographs/x.png", "0" * 64),))]
    TABLE.write_text(to_text(both))
    assert read_additions(TABLE) == both


BROKEN = {
    "empty": "",
    "another header": "product,photograph\n",
    "half a row": "product,photograph,sha256\ntea\n",
    "outer spaces": "product,photograph,sha256\n tea,,\n",
    "no hash": "product,photograph,sha256\ntea,x.png,\n",
    "outside": f"product,photograph,sha256\ntea,../x.png,{'0' * 64}\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_table_is_refused(workspace, text):
    TABLE.write_text(text)
    with pytest.raises(DataError, match=r"additions\.csv"):
        gallery.list_("sku")


@pytest.mark.parametrize(
    ("product", "message"),
    [
        ("unknown", "expected a product not called unknown"),
        (" Unknown ", "expected a product not called unknown"),
        ("oat milk ", "expected a name without outer spaces"),
        ("=1+1", "expected a name that no spreadsheet calculates"),
        ("Tea", "expected a name that no other product has, got 'tea' too"),
        (" TEA", "expected a name that no other product has, got 'tea' too"),
        ("cafe\u0301", r"expected a name that no other product has, got 'caf\\xe9' too"),
    ],
)
def test_a_name_that_is_taken_or_means_nothing_known_is_refused_and_nothing_is_written(workspace, product, message):
    with pytest.raises(DataError, match=message):
        gallery.add("sku", product, [Path("p0.png")])
    assert (workspace, read_additions(TABLE)) == ([], [])


def test_a_variant_knows_what_the_model_knows_that_it_is_judged_as(workspace):
    for change in (lambda: gallery.add("sku_int8", "oat milk", [Path("p0.png")]), lambda: gallery.list_("sku_int8")):
        with pytest.raises(ParamsError, match="MODEL: expected sku, as which sku_int8 is judged"):
            change()
    assert read_additions(TABLE) == []


def test_where_photographs_of_earlier_additions_are_not_here_none_is_added_beside_them(workspace):
    """DVC tracks the folder as it stands: what a fresh clone has not fetched yet would be forgotten."""
    gallery.add("sku", "oat milk", [Path("p0.png")])
    ((kept, digest),) = read_additions(TABLE)[0].photographs
    before = TABLE.read_bytes()
    for lose in (lambda: kept.write_bytes(b"another"), kept.unlink):
        lose()
        with pytest.raises(DataError, match=f"{kept.name}: expected sha256 {digest}.*dvc checkout") as refusal:
            gallery.add("sku", "soy milk", [Path("p1.png")])
        assert len(refusal.value.problems) == 1
    gallery.remove("sku", "oat milk")
    with pytest.raises(DataError, match=kept.name):  # the gallery is built addition by addition
        gallery.add("sku", "soy milk", [Path("p1.png")])
    TABLE.write_bytes(before)
    gallery.remove("sku", "oat milk")
    gallery.add("sku", "oat milk", [Path("p0.png"), Path("p1.png")])  # it brings what was lost
    assert kept.is_file()
    assert len(workspace) == 2


def test_one_photograph_shows_one_product(workspace):
    gallery.add("sku", "oat milk", [Path("p0.png"), Path("p1.png")])
    Path("again.png").write_bytes(Path("p0.png").read_bytes())
    with pytest.raises(DataError, match=r"again\.png: expected a photograph of 'soy milk' alone, .*'oat milk' too"):
        gallery.add("sku", "soy milk", [Path("again.png"), Path("p2.png")])
    assert len(read_additions(TABLE)) == 1
    gallery.remove("sku", "oat milk")
    gallery.add("sku", "soy milk", [Path("again.png")])  # it was called otherwise by mistake
    assert read_additions(TABLE)[-1].product == "soy milk"


@pytest.mark.parametrize("product", ["COLA", "Lemonade", "Cafe\u0301"])
def test_a_product_that_the_data_set_writes_otherwise_is_refused(workspace, product):
    """Crops labelled `cola` would be unknown ones, and COLA a wrong name for them."""
    boxes = {"sample_id": ["a", "a", "b"], "class_name": "can", "product": ["cola", "lemonade", None]}
    samples = {"sample_id": ["a", "b", "c"], "label": [None, None, "caf\u00e9"]}
    for name, columns in (("boxes", boxes), ("samples", samples)):
        path = Path(f"data/manifests/shelf/{name}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(columns).to_parquet(path)
    gallery.remove("sku", "cola")
    gallery.remove("sku", "caf\u00e9")
    with pytest.raises(DataError, match=r"a product as the data set shelf writes it, got .* there, written otherwise"):
        gallery.add("sku", product, [Path("p0.png")])
    assert workspace == []
    gallery.add("sku", "lemonade", [Path("p0.png")])
    gallery.add("sku", "cola", [Path("p1.png")])


def test_what_is_built_next_are_variants_and_systems_too(workspace, capsys):
    gallery.remove("sku", "tea")
    (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("next: ")]
    built = "bundle@sku report@sku bundle@sku_int8 report@sku_int8 bundle_system@counter report_system@counter"
    assert line == f"next: dvc repro {built} && git add data/gallery/sku dvc.lock metrics"
