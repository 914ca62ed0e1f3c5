"""Whole `pipeline` sections of params.yaml, for tests that need one and care for a few of its roads."""

from typing import Any

LISTS = ("datasets", "rendered")
MAPPINGS = (
    "models",
    "detectors",
    "fine_tuned",
    "embedders",
    "galleries",
    "pretrained",
    "frozen",
    "trained",
    "quantized",
    "unpromoted",
    "by_group",
    "systems",
)


def pipeline(**roads: Any) -> dict[str, Any]:
    """Return every road, those that are not given empty."""
    return {**{road: [] for road in LISTS}, **{road: {} for road in MAPPINGS}, **roads}


def of_one_detector(model: str = "m", dataset: str = "d") -> dict[str, Any]:
    """Return the roads of one detector on one data set."""
    start = {"framework": "torchvision", "start": "models/architectures/ssdlite320.yaml"}
    of_task = {"dataset": dataset, "task": "detect"}
    judged = {"judged_as": model, "baseline": f"registry/{model}/bundle", "evidence": "test"}
    entry = of_task | {"names": "labels.json", "trained": model, **judged}
    detector, trained = {"dataset": dataset, **start}, of_task
    return pipeline(datasets=[dataset], models={model: entry}, detectors={model: detector}, trained={model: trained})


def of_one_classifier(model: str = "m", dataset: str = "d") -> dict[str, Any]:
    """Return the roads of one classifier on one data set."""
    on, of_task = {"dataset": dataset}, {"dataset": dataset, "task": "classify"}
    judged = {"judged_as": model, "baseline": f"registry/{model}/bundle", "evidence": "test"}
    entry, tuned = (
        of_task | {"names": "labels.json", "trained": model, **judged},
        on | {"start": "models/architectures/none.yaml"},
    )
    return pipeline(datasets=[dataset], models={model: entry}, fine_tuned={model: tuned}, trained={model: of_task})


def of_a_system() -> dict[str, Any]:
    """Return params.yaml of the detector m and the embedder sku on the data set d, which together are the system s."""
    roads, on = of_one_detector(), {"dataset": "d"}
    entry = on | {"task": "identify", "names": "gallery.safetensors", "trained": "sku", "judged_as": "sku"}
    roads["models"]["sku"] = entry | {"baseline": "registry/sku/bundle", "evidence": "test"}
    roads["embedders"] = {"sku": on | {"start": "models/architectures/none.yaml"}}
    roads["galleries"] = {"sku": on | {"judged_as": "sku"}}
    roads["trained"]["sku"] = on | {"task": "identify"}
    roads["systems"] = {"s": on | {"detector": "m", "identifier": "sku"}}
    roads["systems"]["s"]["baselines"] = {"detector": "registry/m/bundle", "identifier": "registry/sku/bundle"}
    return {"pipeline": roads, "datasets": {"d": {}}, "models": {"m": {}, "sku": {}}, "systems": {"s": {}}}
