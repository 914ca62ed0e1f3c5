"""What each command's help shows as examples; a test runs every one."""

from collections.abc import Callable, Mapping
from inspect import cleandoc

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "new": (
        "vouch new pets photographs --group session=folder:1 --dry-run",
        "vouch new pets photographs --group session=folder:1",
    ),
    "add": ("vouch add examples/trashnet.params.yaml",),
    "params": ("vouch params driver", "vouch params driver gate"),
    "import": (
        "vouch import driver photographs --format imagefolder --group session=folder:1 --strata light=value:day",
        "vouch import driver --undo",
    ),
    "manifest export": (
        "vouch manifest export driver -o driver.jsonl",
        "vouch manifest export driver -o driver_voc --format voc",
    ),
    "data fingerprint": (
        "vouch data fingerprint driver -o driver.json",
        "vouch data fingerprint driver --compare driver.json",
    ),
    "split show": ("vouch split show driver",),
    "split check": ("vouch split check driver",),
    "split assign": (
        "vouch split assign driver session=s3 --to train",
        "vouch split assign driver --source mine --to val_select",
    ),
    "review-labels": (
        "vouch review-labels driver -o review",
        "vouch review-labels driver --apply review/review.csv",
    ),
    "gallery add": ("vouch gallery add sku oat_milk photographs/p0.jpg",),
    "gallery remove": ("vouch gallery remove sku tea_green",),
    "gallery list": ("vouch gallery list sku",),
    "curate suggest": (
        "vouch curate suggest benchmark.csv --catalogue catalogue --license CC0-1.0 --most 3",
        "vouch curate suggest benchmark.csv --catalogue catalogue/list.csv --ignore upstream_split --scores scores.csv",
    ),
    "curate normalize": ("vouch curate normalize benchmark.csv",),
    "curate dedupe": ("vouch curate dedupe benchmark.csv -o duplicates.csv",),
    "curate taxonomy": (
        "vouch curate taxonomy --pack pack.json -o taxonomy.json",
        "vouch curate taxonomy --pack pack.json --previous taxonomy.json --model driver --map-output label_map.json",
    ),
    "curate manifest": ("vouch curate manifest rows.csv --taxonomy taxonomy.json --wanted benchmark.yaml",),
    "curate coverage": (
        "vouch curate coverage rows.csv --taxonomy taxonomy.json --wanted benchmark.yaml",
        "vouch curate coverage rows.csv --taxonomy taxonomy.json --wanted benchmark.yaml --json holes.json --enforce",
    ),
    "curate resolve": ("vouch curate resolve rows.csv --photographs photographs",),
    "curate holdout": (
        "vouch curate holdout rows.csv --taxonomy taxonomy.json --model driver -o holdout.csv --left-out left_out.csv",
    ),
    "curate retrain": (
        "vouch curate retrain photographs --model driver --scores answers.csv --most 20 -o chosen.csv",
        "vouch curate retrain photographs --model driver --scores answers.csv --most 9 -o a.csv "
        "--group session=value:a",
        "vouch curate retrain rows.csv --model driver --scores answers.csv --most 20 -o chosen.csv --overwrite",
    ),
    "curate bundle": (
        "vouch curate bundle chosen.csv --model driver --scores answers.csv -o to_label",
        "vouch curate bundle chosen.csv --model driver -o linked --links",
    ),
    "curate check": ("vouch curate check to_label", "vouch curate check to_label --strict"),
    "curate import": (
        "vouch curate import to_label driver --name round_1 --group session=value:round_1 --strata light=value:day",
    ),
    "check": ("vouch check driver", "vouch check driver --enforce"),
    "gate": ("vouch gate driver", "vouch gate driver --enforce"),
    "plan": ("vouch plan driver --groups 40 --per-group 8 --icc .05", "vouch plan driver"),
    "compare": ("vouch compare driver", "vouch compare driver --baseline main --md --enforce"),
    "evaluate-counts": (
        "vouch evaluate-counts --predictions predictions.json --ground-truth truth.json",
        "vouch evaluate-counts --predictions predictions.json --ground-truth truth.json --group-key store",
    ),
    "predict": (
        "vouch predict driver photographs/p0.jpg -o answer.jpg",
        "vouch predict roadwork photographs --csv answers.csv",
    ),
    "drift": (
        "vouch drift roadwork photographs --page pages/week_12",
        "vouch drift driver photographs --json drift.json --enforce",
    ),
    "promote": ("vouch promote driver", "vouch promote roadwork --despite 'the night camera is replaced in March'"),
    "deploy": (
        "vouch deploy driver served/openvino --to openvino --photographs photographs",
        "vouch deploy driver served/triton --to triton",
        "vouch deploy --lint served/triton",
    ),
}


def help_of(command: Callable[..., None]) -> str:
    """Return what a command's help says: its docstring without the errors that it raises, which is for programmers."""
    said = cleandoc(command.__doc__ or "").partition("\n\nRaises\n")[0]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in said.split("\n\n"))


def epilog(name: str) -> str:
    """Return what stands below a command's help: its examples, one a line."""
    return "\n\n".join(("Examples:", *EXAMPLES[name]))
