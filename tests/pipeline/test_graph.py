"""The graph as it is written: dvc.yaml, params.yaml and the examples, resolved by DVC, nothing run."""

import importlib
import re
import shlex
from pathlib import Path

import pytest
from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update
from ruamel.yaml import YAML

from pipeline.graph import GRAPH, PARAMS_FILE, ROOT, STAGES, outputs, verb
from vouch import params
from vouch import presets as presets_module
from vouch.evaluation.counting import Judging
from vouch.splits import contract
from vouch.stages import check_words
from vouch.tasks import TASKS

PARAMS = params.read_params(PARAMS_FILE)
COMMANDS_WITH_PARAMETERS = {"curate", "drift", "litert"}
# each model stands on exactly one of them
TRAINING_LISTS = ("detectors", "fine_tuned", "frozen", "embedders", "quantized")
PARAMETER_FILES = ("params.yaml", *(f"presets/{name}.yaml" for name in ("dataset", "system", *TASKS)))
YAML_1_1_BOOLEANS = {"yes", "no", "on", "off"}
# else DVC's run cache would not restore them
NEVER_WITH_METRICS = {
    "compose",
    "compose_baseline",
    "train_embedder",
    "gallery",
    "scan",
    "train_detector",
    "train_classifier",
    "pretrain",
    "extract_features",
    "train_cached",
    "quantize",
    "export",
    "predict",
    "predict_baseline",
    "cross_validate",
}
# the contract, written a second time by hand: what a stage may read changes in both places or in none
PURPOSES = {
    "fit_weights": ("train",),
    "compare_exports": ("train",),
    "choose_checkpoint": ("val_select",),
    "fit_calibrator": ("val_select",),
    "choose_labels": ("val_select",),
    "fix_policy": ("val_calib",),
    "judge": ("val_test",),
    "watch": ("val_calib",),
    "predict": ("val_select", "val_calib", "val_test"),
    "exclude": ("val_select", "val_calib", "val_test"),
    "hold_out": ("train", "val_select", "val_calib"),
    "describe": ("train", "val_select", "val_calib", "val_test"),
}
PURPOSES_USED = {
    "baseline": {"fit_weights"},
    "train_embedder": {"fit_weights", "choose_checkpoint"},
    "gallery": {"fit_weights"},
    "train_detector": {"fit_weights", "choose_checkpoint"},
    "train_classifier": {"fit_weights", "choose_checkpoint"},
    "pretrain": {"fit_weights", "exclude"},
    "extract_features": {"fit_weights", "choose_checkpoint"},
    "train_cached": {"fit_weights", "choose_checkpoint"},
    "cross_validate": {"fit_weights", "choose_checkpoint"},
    "quantize": {"fit_weights"},
    "parity": {"compare_exports"},
    "parity_quantized": {"compare_exports"},
    "predict": {"predict"},
    "predict_baseline": {"predict"},
    "calibrate": {"fit_calibrator"},
    "decide": {"fix_policy"},
    "evaluate": {"judge"},
    "compare": {"judge"},
    "report": {"describe"},
    "compose": {"predict"},
    "compose_baseline": {"predict"},
    "compare_counts": {"judge"},
    "report_system": {"describe"},
    "evaluate_counts": {"judge"},
}
READERS = {
    "data/splits/{dataset}/train.csv": {"train", "parity", "baseline", "report"},
    "data/splits/{dataset}/val_select.csv": {"train", "predict_candidate", "report"},
    "data/splits/{dataset}/val_calib.csv": {"predict_candidate", "report"},
    "data/splits/{dataset}/val_test.csv": {"predict_candidate", "predict_baseline", "report"},
    "data/predictions/{model}/candidate/val_select.parquet": {"calibrate"},
    "data/predictions/{model}/candidate/val_calib.parquet": {"decide"},
    "data/predictions/{model}/candidate/val_test.parquet": {
        "evaluate",
        "compare",
        "gate",
    },  # gate hashes the file alone
    "data/predictions/{model}/baseline/val_test.parquet": {"compare", "gate"},
}


def effective(*keys):
    return params.read_section(*keys, path=PARAMS_FILE).content


def declared(stage):
    """Return the parameters of a stage by the file that they stand in."""
    files = {file: [] for file in PARAMETER_FILES}
    for one in stage.get("params", []):
        for file, keys in one.items() if isinstance(one, dict) else [("params.yaml", [one])]:
            files[file] += keys
    return files


def words(content):
    """Every key and plain text value of a YAML tree."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from words(value)
    elif isinstance(content, list):
        for value in content:
            yield from words(value)
    else:
        yield content


@pytest.mark.parametrize("name", GRAPH)
def test_a_stage_runs_the_code_of_its_own_workspace(name):
    assert GRAPH[name]["cmd"].startswith("PYTHONPATH=src python -m vouch.stages.")
    assert verb(GRAPH[name]["cmd"]) in STAGES


def test_a_shell_takes_what_comes_from_params_yaml_as_one_word():
    definition = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")
    commands = [stage.get("do", stage)["cmd"] for stage in definition["stages"].values()]
    for command in commands:
        bare = re.sub(r"'\$\{(key|item(\.[a-z_]+)*)\}'", "", command)
        assert re.fullmatch(r"\$\{py\}\.[a-z_]+( [a-z]*)*", bare), command


@pytest.mark.parametrize("name", GRAPH)
def test_a_stage_takes_the_words_that_it_is_given(name):
    module, *given = shlex.split(GRAPH[name]["cmd"].split("vouch.stages.")[1])
    check_words(importlib.import_module(f"vouch.stages.{module}").run, given)


def test_every_stage_module_is_on_the_graph():
    assert {verb(stage["cmd"]) for stage in GRAPH.values()} == STAGES


def test_an_output_has_one_owner_and_no_folder_of_another():
    owners = [(path, name) for name, stage in GRAPH.items() for path in outputs(stage)]
    for path, name in owners:
        inside = {(one, other) for one, other in owners if Path(one).is_relative_to(path)}
        assert inside == {(path, name)}


def test_only_the_split_lock_is_kept_between_runs():
    kept = {path for stage in GRAPH.values() for path, flags in outputs(stage).items() if flags.get("persist")}
    assert kept == {f"splits/{dataset}.lock.csv" for dataset in PARAMS["pipeline"]["datasets"]}


@pytest.mark.parametrize("name", GRAPH)
def test_what_is_dear_is_restored_from_the_run_cache(name):
    if verb(GRAPH[name]["cmd"]) in NEVER_WITH_METRICS:
        assert not [path for path, flags in outputs(GRAPH[name]).items() if flags.get("cache") is False]


def test_metrics_and_the_split_lock_are_in_git_and_nothing_else():
    in_git = {path for stage in GRAPH.values() for path, flags in outputs(stage).items() if flags.get("cache") is False}
    assert {path.split("/")[0] for path in in_git} == {"metrics", "splits"}
    of_metrics = {path for stage in GRAPH.values() for path in outputs(stage) if path.startswith("metrics/")}
    assert of_metrics <= in_git


def test_each_model_stands_on_one_training_list_and_its_data_set_on_the_list_of_data_sets():
    roads = PARAMS["pipeline"]
    bundles = {path for stage in GRAPH.values() for path in outputs(stage) if path.endswith("/bundle")}
    for model, entry in roads["models"].items():
        homes = [name for name in TRAINING_LISTS if model in roads[name]]
        assert len(homes) == 1, f"{model} is trained by {homes}"
        assert roads[homes[0]][model]["dataset"] == entry["dataset"]
        assert entry["dataset"] in roads["datasets"]
        assert (model in roads["trained"]) == (homes[0] != "quantized")
        assert entry["trained"] in roads["models"]
        assert entry["baseline"] in bundles | {f"registry/{model}/bundle"}  # of the graph, or promoted
    for name in (*TRAINING_LISTS, "trained", "pretrained", "unpromoted"):
        assert roads[name].keys() <= roads["models"].keys()
    assert set(roads["rendered"]) <= set(roads["datasets"])


@pytest.mark.parametrize(("pattern", "readers"), READERS.items())
def test_a_split_is_read_by_those_who_may(pattern, readers):
    pretrained, by_group = (
        {entry["dataset"] for entry in PARAMS["pipeline"][road].values()} for road in ("pretrained", "by_group")
    )
    compared = {entry["dataset"] for entry in PARAMS["pipeline"]["galleries"].values()}
    composed = {entry["dataset"] for entry in PARAMS["pipeline"]["systems"].values()}
    for model, entry in PARAMS["pipeline"]["models"].items():
        path = pattern.format(model=model, dataset=entry["dataset"])
        names = {name.split("@")[0] for name, stage in GRAPH.items() if path in stage["deps"]}
        shaping, ending = "^(extract_features|quantize)$", "_(detector|classifier|cached|embedder|quantized)$"
        kinds = {re.sub(f"{shaping}|{ending}", "", name) or "train" for name in names}
        also = {"pretrain"} if pattern.startswith("data/splits/") and entry["dataset"] in pretrained else set()
        if pattern.endswith(("/train.csv", "/splits/{dataset}/val_select.csv")) and entry["dataset"] in by_group:
            also = also | {"cross_validate"}
        if pattern.endswith("/splits/{dataset}/train.csv") and entry["dataset"] in compared:
            also = also | {"gallery"}
        if pattern.endswith("/splits/{dataset}/val_test.csv") and entry["dataset"] in composed:
            also = also | {"compose", "compose_baseline", "report_system"}
        assert kinds == readers | also


def test_further_evidence_is_of_train_and_val_select_and_judged_apart_from_val_test():
    assert PARAMS["pipeline"]["by_group"]  # an example has one
    for model, entry in PARAMS["pipeline"]["models"].items():
        rows, judged = f"data/predictions/{model}/by_group.parquet", f"metrics/{model}/by_group.json"
        readers = {
            path: {name.split("@")[0] for name, stage in GRAPH.items() if path in stage["deps"]}
            for path in (rows, judged)
        }
        further = model in PARAMS["pipeline"]["by_group"]
        assert readers == {
            rows: {"evaluate_by_group"} if further else set(),
            judged: {"gate", "report"} if further else set(),
        }
        assert entry["evidence"] == ("by_group" if further else "test")


def test_no_stage_depends_on_a_folder_of_splits_or_predictions():
    loose = {dep for stage in GRAPH.values() for dep in stage["deps"] if re.match("data/(splits|predictions)", dep)}
    assert all(Path(dep).suffix in {".csv", ".parquet"} for dep in loose)


def test_photographs_are_walked_through_by_ingest_and_scan_alone():
    """Others depend on lists with the hash of each photograph: DVC would look at every file again for each stage."""
    readers = {name.split("@")[0] for name, stage in GRAPH.items() for dep in stage["deps"] if "data/sources" in dep}
    assert readers == {"ingest", "scan"}


def test_the_contract_says_train_shapes_weights_select_scores_calib_decisions_and_test_judges():
    assert contract.PURPOSES == PURPOSES


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_names_the_purposes_that_are_its_own(stage):
    text = (ROOT / f"src/vouch/stages/{stage}.py").read_text(encoding="utf-8")
    text = re.sub(r'"models", (model|name), "predict"', "", text)  # a section of params.yaml
    named = {purpose for purpose in PURPOSES if f'"{purpose}"' in text} if "contract" in text else set()
    assert named == PURPOSES_USED.get(stage, set())


def test_every_other_module_names_the_purposes_that_are_its_own():
    source = ROOT / "src/vouch"
    named = {
        path.relative_to(source).as_posix(): set(re.findall(r'purpose="(\w+)"', path.read_text(encoding="utf-8")))
        for path in source.rglob("*.py")
        if path.parent.name != "stages"
    }
    assert {place: purposes for place, purposes in named.items() if purposes} == {
        "commands/check.py": {"describe"},
        "commands/curate/held_out.py": {"exclude"},
        "commands/curate/holdout.py": {"hold_out"},
        "commands/curate/retrain.py": {"choose_labels"},
        "commands/litert.py": {"compare_exports"},
        "drift/inputs.py": {"watch"},
    }


@pytest.mark.parametrize(("model", "entry"), PARAMS["pipeline"]["quantized"].items())
def test_a_variant_is_judged_as_its_source_and_has_to_be_no_worse(model, entry):
    assert PARAMS["pipeline"]["models"][model]["judged_as"] == entry["source"]
    for section in ("predict", "calibrate", "decide", "evaluate", "compare", "bundle"):
        assert PARAMS["models"][model][section] == {}
    variant, source = (effective("models", name, "gate") for name in (model, entry["source"]))
    for name, rule in source["rules"].items():
        assert rule["source"] == "export" or variant["rules"][name] == rule
    assert variant["required"] == source["required"]
    compared = {rule["metric"] for rule in variant["rules"].values() if rule["source"] == "comparison"}
    assert compared == set(effective("models", model, "compare")["margins"])


@pytest.mark.parametrize("file", PARAMETER_FILES)
def test_params_are_written_as_dvc_writes_them(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert dumps_yaml(parse_yaml_for_update(text, file)) == text


@pytest.mark.parametrize("file", PARAMETER_FILES)
def test_no_comment_stands_where_an_experiment_would_lose_it(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.findall(r"^ *- [^\n]*#.*$", text, re.MULTILINE) == []  # `dvc exp run -S` writes lists anew
    assert not re.search(r"[:-] [&*][a-z]", text)  # and writes out what an anchor stands for


@pytest.mark.parametrize("file", [*PARAMETER_FILES, "dvc.yaml"])
def test_no_word_means_something_else_in_yaml_1_1(file):
    content = YAML(typ="safe", pure=True).load(ROOT / file)
    found = [str(word) for word in words(content) if isinstance(word, str)]
    assert not [word for word in found if word.lower() in YAML_1_1_BOOLEANS]
    assert not [word for word in found if re.fullmatch(r"[-+]?\d+(\.\d*)?e[-+]?\d+", word)]


@pytest.mark.parametrize("kind", ["datasets", "models", "systems"])
def test_sections_are_those_of_the_roads(kind):
    assert set(PARAMS[kind]) == set(PARAMS["pipeline"][kind])
    assert set(PARAMS) == {"pipeline", "datasets", "models", "systems"}


def preset_of(kind, name):
    """The preset that a section is laid over."""
    of_kind = {"datasets": "dataset", "systems": "system"}
    return of_kind.get(kind) or PARAMS["pipeline"]["models"][name]["task"]


def sections():
    """Every section of every data set, model and system, written or of its preset alone."""
    presets = params.read_presets(PARAMS_FILE)
    for kind in ("datasets", "models", "systems"):
        for name, own in PARAMS[kind].items():
            preset = presets[preset_of(kind, name)]
            commands = [stage for stage in preset if stage not in STAGES]
            yield from ((kind, name, stage) for stage in (*own, *commands))


@pytest.mark.parametrize(("kind", "name", "stage"), list(sections()))
def test_every_section_is_one_that_its_stage_takes(kind, name, stage):
    package = "scenes" if stage == "render" else "stages" if stage in STAGES else "commands"
    module = importlib.import_module(f"vouch.{package}.{name if stage == 'render' else stage}")
    by_task = getattr(module, "SECTIONS", None)
    section = by_task[PARAMS["pipeline"]["models"][name]["task"]] if by_task else module.Params
    params.load(section, kind, name, stage, path=PARAMS_FILE)


def test_every_preset_is_one_that_a_stage_takes():
    presets = params.read_presets(PARAMS_FILE)
    assert set(presets) == {"dataset", "system", *TASKS}
    assert {stage for preset in presets.values() for stage in preset} - STAGES == COMMANDS_WITH_PARAMETERS
    params.load(Judging, "evaluate_counts", path=ROOT / "presets/system.yaml")  # of files that anybody brings


@pytest.mark.parametrize("name", GRAPH)
def test_a_stage_declares_what_its_section_is_laid_over(name):
    """Its own section comes with its preset, and with the section of the model that it is judged as."""
    presets = params.read_presets(PARAMS_FILE)
    files = declared(GRAPH[name])
    for key in files["params.yaml"]:
        kind, owner, *rest = key.split(".")
        if kind == "pipeline" or len(rest) > 1:
            continue
        preset = preset_of(kind, owner)
        if rest[0] in presets[preset]:
            assert any(f"{one}.".startswith(f"{rest[0]}.") for one in files[f"presets/{preset}.yaml"]), key
        if kind == "models" and rest[0] in presets_module.JUDGED:
            assert f"models.{PARAMS['pipeline']['models'][owner]['judged_as']}.{rest[0]}" in files["params.yaml"]


@pytest.mark.parametrize("name", GRAPH)
def test_a_stage_that_asks_for_a_task_declares_it_and_no_other_does(name):
    text = (ROOT / f"src/vouch/stages/{verb(GRAPH[name]['cmd'])}.py").read_text(encoding="utf-8")
    keys = [key for key in declared(GRAPH[name])["params.yaml"] if key.startswith("pipeline.")]
    model = name.partition("@")[2]
    assert keys == ([f"pipeline.models.{model}.task"] if "task_of(" in text else [])


def test_every_section_is_declared_by_its_stage_and_every_declared_one_exists():
    keys = {(key, verb(stage["cmd"])) for stage in GRAPH.values() for key in declared(stage)["params.yaml"]}
    of_stages = {(f"{kind}.{name}.{stage}", stage) for kind, name, stage in sections() if stage in STAGES}
    assert of_stages <= keys
    for key, _ in keys:
        section = PARAMS
        for part in key.split("."):
            section = section[part]


def test_a_section_of_a_command_is_read_by_no_stage():
    of_commands = {(kind, stage) for kind, _, stage in sections() if stage not in STAGES}
    assert {stage for _, stage in of_commands} == COMMANDS_WITH_PARAMETERS
    keys = {key for stage in GRAPH.values() for file in declared(stage).values() for key in file}
    assert not [key for key in keys for _, stage in of_commands if re.search(rf"\.{stage}\b", key)]


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_with_parameters_has_a_section(stage):
    text = (ROOT / f"src/vouch/stages/{stage}.py").read_text(encoding="utf-8")
    has_section = "class Params(" in text or "SECTIONS[" in text or stage == "render"
    assert has_section == (stage in {stage for _, _, stage in sections()})
