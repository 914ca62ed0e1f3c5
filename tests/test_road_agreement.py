import json
from pathlib import Path

import pytest

from pipelines import MAPPINGS, of_one_detector, pipeline
from vouch.errors import ParamsError
from vouch.params import read_params
from vouch.road_agreement import check_pipeline, check_workspace
from wrong_names import HOSTILE

PARAMS = Path(__file__).parents[1] / "params.yaml"


def parameters(roads=None):
    return {"pipeline": roads or of_one_detector(), "datasets": {"d": {}, "more": {}}, "models": {"m": {}, "n": {}}}


def problems(content):
    with pytest.raises(ParamsError) as caught:
        check_pipeline(content, "params.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_the_repository_s_own_roads_are_right():
    assert set(check_pipeline(read_params(PARAMS), "params.yaml").models) >= {"driver", "roadwork", "roadwork_int8"}
    check_workspace(PARAMS)


def test_sections_that_are_on_no_road_may_wait():
    check_pipeline(parameters(), "params.yaml")


def named(word):
    """Every place of `pipeline` where a name or path may stand, with `word` in it."""
    places = []
    for keys in (
        ("models", "m", "dataset"),
        ("models", "m", "task"),
        ("models", "m", "trained"),
        ("models", "m", "judged_as"),
        ("models", "m", "baseline"),
        ("detectors", "m", "dataset"),
        ("detectors", "m", "framework"),
        ("detectors", "m", "start"),
        ("trained", "c", "dataset"),
        ("fine_tuned", "f", "dataset"),
        ("fine_tuned", "f", "start"),
        ("pretrained", "p", "dataset"),
        ("pretrained", "p", "start"),
        ("pretrained", "p", "unlabelled"),
        ("frozen", "z", "dataset"),
        ("frozen", "z", "start"),
        ("quantized", "q", "dataset"),
        ("quantized", "q", "source"),
        ("quantized", "q", "names"),
        ("unpromoted", "u", "dataset"),
        ("models", "m", "evidence"),
        *(("by_group", "b", key) for key in ("dataset", "task", "trainer", "framework", "start")),
    ):
        road, name, leaf = keys
        roads = of_one_detector()
        roads[road] = {**roads[road], name: {**roads[road].get(name, {}), leaf: word}}
        places.append((f"params.yaml: pipeline.{'.'.join(keys)}", roads))
    for road in ("datasets", "rendered"):
        places.append((f"params.yaml: pipeline.{road}.0", of_one_detector() | {road: [word]}))
    for road in (*MAPPINGS,):
        places.append((f"params.yaml: pipeline.{road}.", of_one_detector() | {road: {word: {"dataset": "d"}}}))
    return places


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_word_is_refused_wherever_it_stands(word):
    for place, roads in named(word):
        found = problems(parameters(json.loads(json.dumps(roads))))
        assert any(line.startswith(place) for line in found), (place, found)
        assert all(line.isprintable() and line.isascii() for line in found)


@pytest.mark.parametrize("kind", ["datasets", "models", "systems"])
@pytest.mark.parametrize("word", [*HOSTILE.values(), "A", "a" * 65, "a.b", 1, True], ids=str)
def test_a_section_has_a_name(tmp_path, kind, word):
    path = tmp_path / "params.yaml"
    if isinstance(word, str):
        path.write_text(json.dumps({kind: {word: {}}}))
    else:
        path.write_text(f"{kind}:\n  {json.dumps(word)}: {{}}\n")
    with pytest.raises(ParamsError):
        check_workspace(path)


ENTRY = of_one_detector()["models"]["m"]
BY_GROUP = of_one_detector()["detectors"]["m"] | {"task": "detect", "trainer": "train_detector"}
OF_M = ENTRY["baseline"]
SYSTEM = {"dataset": "d", "detector": "m", "identifier": "m", "baselines": {"detector": OF_M, "identifier": OF_M}}
VARIANT = {"dataset": "d", "source": "m", "names": "labels.json"}
CHANGES = {
    "a data set that is on no list": ({"models": {"m": {"dataset": "e"}}}, ["models.m.dataset", "pipeline.datasets"]),
    "another data set": ({"datasets": ["d", "more"], "detectors": {"m": {"dataset": "more"}}}, ["detectors.m.dataset"]),
    "a data set without a section": ({"datasets": ["d", "e"]}, ["datasets.e", "section"]),
    "a data set twice": ({"datasets": ["d", "d"]}, ["pipeline.datasets", "d twice"]),
    "a rendered one that is on no list": ({"rendered": ["more"]}, ["pipeline.rendered", "more"]),
    "a model without a section": ({"models": {"o": of_one_detector("o")["models"]["o"]}}, ["models.o", "a section"]),
    "a model that nothing trains": ({"detectors": None}, ["pipeline.models.m", "got none"]),
    "a model that two train": (
        {"fine_tuned": {"m": {"dataset": "d", "start": "a"}}},
        ["pipeline.models.m", "detectors and fine_tuned"],
    ),
    "a model that is not exported": ({"trained": None}, ["pipeline.models.m", "detectors off it"]),
    "a variant that is exported": (
        {"detectors": None, "quantized": {"m": VARIANT}},
        ["pipeline.models.m", "quantized on it"],
    ),
    "a task that nobody knows": (
        {"models": {"m": {"task": "segment"}}},
        ["models.m.task", "'detect', 'classify' or 'identify'"],
    ),
    "a list of another task": (
        {"models": {"m": {"task": "classify"}}},
        ["models.m.task: expected classify, so a model of fine_tuned or frozen, got one of detectors"],
    ),
    "a variant of another task": (
        {
            "models": {"n": of_one_detector("n")["models"]["n"] | {"task": "classify", "trained": "m"}},
            "quantized": {"n": VARIANT},
        },
        ["quantized.n.source: expected a model of the task classify, got m, of detect"],
    ),
    "a variant with names of another task": (
        {"detectors": None, "quantized": {"m": VARIANT | {"names": "gallery.safetensors"}}},
        ["quantized.m.names: expected labels.json, as pipeline.models has it, got gallery.safetensors"],
    ),
    "a variant of nobody": ({"models": {"m": {"judged_as": "x"}}}, ["models.m.judged_as", "got x"]),
    "a variant of a variant": (
        {"models": {name: ENTRY | {"judged_as": of} for name, of in (("n", "m"), ("o", "n"))}},
        ["models.o.judged_as: expected o, or a model that is judged as itself, got n, judged as m"],
    ),
    "a variant judged by another task": (
        {"models": {"n": ENTRY | {"task": "classify", "judged_as": "m"}}},
        ["models.n.judged_as: expected a model of the task classify on d, got m, detect on d"],
    ),
    "further evidence of nobody": (
        {"models": {"m": {"evidence": "by_group"}}},
        ["models.m.evidence", "pipeline.by_group"],
    ),
    "further evidence that nothing reads": ({"by_group": {"m": BY_GROUP}}, ["models.m.evidence", "got test"]),
    "training by group from another start": (
        {"by_group": {"m": BY_GROUP | {"start": "models/architectures/other.yaml"}}},
        ["by_group.m.start: expected models/architectures/ssdlite320.yaml, as the model is trained", "other.yaml"],
    ),
    "training by group as another task": (
        {"by_group": {"m": BY_GROUP | {"task": "classify"}}},
        ["by_group.m.task: expected detect, as the model is trained, got classify"],
    ),
    "training by group what stands still": (
        {"detectors": None, "frozen": {"m": {"dataset": "d", "start": "a"}}, "by_group": {"m": BY_GROUP}},
        ["by_group.m: expected a model of detectors or fine_tuned"],
    ),
    "training by group from what has seen the groups": (
        {"by_group": {"m": BY_GROUP | {"start": "models/m/pretrained"}}},
        ["by_group.m.start: expected a start that has seen none", "got models/m/pretrained"],
    ),
    "training by group a variant": (
        {
            "models": {"n": ENTRY | {"evidence": "by_group", "judged_as": "m"}},
            "detectors": {"n": of_one_detector("n")["detectors"]["n"]},
            "by_group": {"n": BY_GROUP},
        },
        ["by_group.n: expected a model that is judged as itself, n, got one judged as m"],
    ),
    "an export of another task": (
        {"trained": {"m": {"task": "classify"}}},
        ["pipeline.trained.m.task: expected the task of pipeline.models.m, detect, got classify"],
    ),
    "a system without a section": ({"systems": {"s": SYSTEM}}, ["systems.s", "a section"]),
    "a system of nobody": (
        {"systems": {"s": SYSTEM | {"detector": "x"}}},
        ["systems.s.detector: expected a model of pipeline.models, got x"],
    ),
    "a system whose embedder is a detector": (
        {"systems": {"s": SYSTEM}},
        ["systems.s.identifier: expected a model to identify, got m, to detect"],
    ),
    "a system whose models another data set built": (
        {"datasets": ["d", "more"], "systems": {"s": SYSTEM | {"dataset": "more"}}},
        ["systems.s.detector: expected a model on more, as the system, got m, on d"],
    ),
    "a system on a data set that is on no list": (
        {"systems": {"s": SYSTEM | {"dataset": "e"}}},
        ["systems.s.dataset: expected a data set of pipeline.datasets, got e"],
    ),
    "a system with another baseline than its model": (
        {"systems": {"s": SYSTEM | {"baselines": {"detector": "registry/x/bundle", "identifier": OF_M}}}},
        ["systems.s.baselines.detector: expected the baseline of pipeline.models.m, registry/m/bundle, got registry/x"],
    ),
    "a system that is called as a model": (
        {"systems": {"m": SYSTEM}},
        ["systems.m: expected a name that no model has"],
    ),
    "a curve of nobody": ({"models": {"m": {"trained": "x"}}}, ["models.m.trained", "got x"]),
    "a road of no model": ({"unpromoted": {"n": {"dataset": "d"}}}, ["pipeline.unpromoted.n", "pipeline.models"]),
    "a source of nobody": (
        {"detectors": None, "quantized": {"m": VARIANT | {"source": "x"}}},
        ["quantized.m.source", "got x"],
    ),
    "an unknown key": ({"detectors": {"m": {"stat": "a"}}}, ["detectors.m.stat", "unknown"]),
    "a road that is not one": ({"detector": {}}, ["pipeline.detector:", "unknown"]),
    "an unknown framework": ({"detectors": {"m": {"framework": "yolo"}}}, ["detectors.m.framework", "'ultralytics'"]),
    "a list for a mapping": ({"models": ["m"]}, ["pipeline.models"]),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_what_belongs_to_nothing_is_named(change, words):
    roads = of_one_detector()
    for road, entries in change.items():
        if isinstance(entries, dict):
            roads.setdefault(road, {})
            for name, entry in entries.items():
                roads[road][name] = {**roads[road].get(name, {}), **entry}
        else:
            roads[road] = {} if entries is None else entries
    assert any(all(word in line for word in words) for line in problems(parameters(roads)))


def test_every_problem_is_named_at_once():
    roads = of_one_detector() | {"rendered": ["A", "-b"], "frozen": {"z": {"dataset": "d"}}}
    del roads["pretrained"]
    found = problems(parameters(roads))
    assert [line.split(": expected")[0] for line in found] == [
        "params.yaml: pipeline.frozen.z.start",
        "params.yaml: pipeline.pretrained",
        "params.yaml: pipeline.rendered.0",
        "params.yaml: pipeline.rendered.1",
    ]
    assert len(problems(parameters(of_one_detector() | {"detectors": {}, "rendered": ["x", "y"]}))) == 4


def test_a_pipeline_is_needed_by_dvc_and_not_by_a_stage_alone(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("datasets: {d: {scan: {}}}\n")
    check_workspace(path)
    with pytest.raises(ParamsError, match="a section pipeline"):
        check_pipeline(read_params(path), "params.yaml")
    path.write_text(json.dumps({"pipeline": pipeline(rendered=["x"])}))
    with pytest.raises(ParamsError, match=r"pipeline\.rendered"):
        check_workspace(path)


@pytest.mark.parametrize("text", ["datasets: []\n", "models: x\n", "pipeline: []\n", "pipeline:\n"])
def test_sections_of_another_shape_are_named(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParamsError, match=text.split(":")[0]):
        check_workspace(path)
