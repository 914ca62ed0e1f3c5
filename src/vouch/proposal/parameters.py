"""A proposal as entries of params.yaml: what a person would have written by hand, and nothing that a preset says."""

from collections.abc import Mapping
from typing import Any

from vouch.presets import DATASET
from vouch.proposal.proposal import Proposal
from vouch.roads import NAMES
from vouch.tasks import ByTask

Entry = tuple[tuple[str, ...], Any]  # keys of params.yaml and what comes to stand there
SECTIONS = ("parity", "predict", "calibrate", "decide", "evaluate", "compare", "gate", "bundle")  # of any model
ROADS = ByTask(detect="detectors", classify="fine_tuned", identify="embedders")
STARTS: ByTask[dict[str, str]] = ByTask(
    detect={"framework": "ultralytics", "start": "models/architectures/yolo11p.yaml"},
    classify={"start": "models/architectures/none.yaml"},
    identify={"start": "models/architectures/none.yaml"},
)
OWN = ByTask[tuple[str, ...]](detect=(), classify=(), identify=("gallery",))  # sections of a task alone
TRAININGS = ByTask(detect="train_detector", classify="train_classifier", identify="train_embedder")
LITE0_START = {"start": "models/architectures/lite0.yaml"}
LITE0 = {  # all of it learns, the slower the further from the heads: docs/pretrained.md
    "backbone": {"name": "tf_efficientnet_lite0", "options": {}},
    "learning_rate": 0.001,
    "layer_decay": 0.9,
}
BACKBONE = {  # half the width of resnet10t: 1.2 million parameters
    "name": "resnet10t",
    "options": {"channels": [32, 64, 128, 256], "stem_width": 16},
}
BY_STRATUM = ByTask(
    detect="recall", classify="accuracy", identify="top1"
)  # the rule of a preset that is judged in each value too


def entries(proposal: Proposal, presets: Mapping[str, Any]) -> list[Entry]:
    """Return the entries of a data set and model in the order in which params.yaml has its sections.

    Parameters
    ----------
    proposal : Proposal
    presets : map
        Every preset by its name; a value that a preset has too is left out.
    """
    name, task = proposal.name, proposal.task
    dataset = {"dataset": name}
    of_task = {**dataset, "task": task}
    model = {
        **of_task,
        "trained": name,
        "names": NAMES[task],
        "judged_as": name,
        "baseline": f"registry/{name}/bundle",
        "evidence": "test",
    }
    start = LITE0_START if proposal.network.pretrained else STARTS[task]
    gallery = [(("pipeline", "galleries", name), {**dataset, "judged_as": name})] if task == "identify" else []
    return [
        (("pipeline", "models", name), model),
        (("pipeline", ROADS[task], name), {**dataset, **start}),
        *gallery,
        (("pipeline", "trained", name), of_task),
        (("pipeline", "unpromoted", name), dataset),
        (("datasets", name), _dataset(proposal, presets[DATASET])),
        (("models", name), _model(proposal, presets[task])),
    ]


def _dataset(proposal: Proposal, preset: Mapping[str, Any]) -> dict[str, Any]:
    strata = {name: list(values) for name, values in proposal.strata.items()}
    ingest = {"classes": list(proposal.classes), "group_keys": list(proposal.group_keys), "strata": strata}
    sections = {
        "scan": {},
        "validate": {"coverage": dict(proposal.coverage)},
        "split": {
            "fractions": dict(proposal.fractions),
            "stated": dict(proposal.stated),
            "unknown_products": {split: list(names) for split, names in proposal.unknown_products.items()},
        },
    }
    return {"ingest": ingest, **_beyond(sections, preset)}


def _model(proposal: Proposal, preset: Mapping[str, Any]) -> dict[str, Any]:
    asked = {"decide": dict(proposal.policy), "gate": _gate(proposal, preset["gate"]["rules"])}
    judged = {section: asked.get(section, {}) for section in (*OWN[proposal.task], *SECTIONS)}
    return {TRAININGS[proposal.task]: _training(proposal, preset), **_beyond(judged, preset)}


def _training(proposal: Proposal, preset: Mapping[str, Any]) -> dict[str, Any]:
    built = proposal.network
    size = built.size_px
    length = {"epochs": built.epochs, "patience_epochs": built.epochs, "batch": built.batch}
    network = LITE0 if built.pretrained else {"backbone": BACKBONE}
    training = ByTask[dict[str, Any]](
        detect={"size_px": size, **length},
        classify={**network, "size_px": size, "views": {"side_px": size}, **length},
        identify={**network, "size_px": size, **length},
    )[proposal.task]
    return dict(_beyond({"training": training}, {"training": preset[TRAININGS[proposal.task]]})["training"])


def _gate(proposal: Proposal, rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules that a new model can be judged by, each value of each stratum by one of its own."""
    judged = {name: dict(rule) for name, rule in proposal.rules.items()}
    metric = BY_STRATUM[proposal.task]
    for stratum in proposal.strata:
        asked = {**rules[metric], **judged[metric], "bound": "value", "each": stratum, "min_groups": 1}
        judged[f"{metric}_by_{stratum}"] = asked
    required = {name: list(values) for name, values in proposal.strata.items()}
    return {"required": required, "rules": judged}


def _beyond(sections: Mapping[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    """Return what sections say otherwise than a preset; a section without a word of its own stays, empty."""
    return {name: _otherwise(content, preset.get(name, {})) for name, content in sections.items()}


def _otherwise(content: Mapping[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in content.items():
        known = preset.get(key)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            if said := _otherwise(value, known):
                kept[key] = said
        elif key not in preset or value != known:
            kept[key] = value
    return kept
