import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouch.calibration.apply.multiclass_maps import apply_multiclass, parameters
from vouch.calibration.apply.validity import KEYS, ONE_VS_REST, multiclass_problems
from vouch.calibration.fit.multiclass_fits import FITS

LOGITS = np.log([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])


def curves(**one: object) -> list[dict]:
    return [dict(one) for _ in range(3)]


GOOD = {
    "identity": {},
    "temperature": {"temperature": 2.0},
    "ensemble_temperature": {"temperature": 2.0, "weights": [0.5, 0.25, 0.25]},
    "vector": {"weights": [1.0, 2.0, 0.5], "biases": [0.1, 0.0, -0.1]},
    "matrix": {"weights": np.eye(3).tolist(), "biases": [0.0, 0.0, 0.0], "penalty": 0.1},
    "dirichlet": {"weights": np.eye(3).tolist(), "biases": [0.0, 0.0, 0.0], "penalty": 0.1},
    "platt": {"classes": curves(method="platt", slope=1.0, intercept=0.0)},
    "isotonic": {"classes": curves(method="isotonic", scores=[0.1, 0.9], confidences=[0.2, 0.8])},
    "beta": {"classes": curves(method="beta", a=1.0, b=1.0, c=0.0)},
    "histogram": {"classes": curves(method="histogram", edges=[0.25, 0.55], confidences=[0.1, 0.3, 0.5])},
    "bbq": {"classes": curves(method="bbq", edges=[0.5], confidences=[0.6, 0.4])},
    "spline": {"classes": curves(method="spline", scores=[0.0, 1.0], confidences=[0.5, 0.25])},
}


def applied(method: str, **change: object) -> np.ndarray:
    return apply_multiclass({"method": method, **GOOD[method], **change}, LOGITS)


@pytest.mark.parametrize("method", ["identity", "matrix", "dirichlet", "platt", "beta"])
def test_maps_with_the_identitys_parameters_leave_the_softmax(method: str) -> None:
    assert applied(method) == pytest.approx(np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))


def test_maps_by_hand() -> None:
    # roots of .2, .3, .5 over their sum; of .6, .3, .1
    roots = np.sqrt([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    softened = roots / roots.sum(axis=1, keepdims=True)
    assert applied("temperature") == pytest.approx(softened)
    assert applied("ensemble_temperature") == pytest.approx(
        0.5 * softened + 0.25 * np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]) + 1 / 12
    )
    # weights 1, 2, 0 and a bias of ln 2 on the third: .2, .09, 2 over 2.29
    found = applied("vector", weights=[1, 2, 0], biases=[0, 0, np.log(2)])
    assert found[0] == pytest.approx(np.array([0.2, 0.09, 2.0]) / 2.29)
    # the first row of the matrix reads the second logit: .3, .3, .5
    swapped = [[0, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert applied("matrix", weights=swapped)[0] == pytest.approx(np.array([0.3, 0.3, 0.5]) / 1.1)
    # .2 -> .1, .3 -> .3, .5 -> .3 and .6 -> .5, .3 -> .3, .1 -> .1
    assert applied("histogram") == pytest.approx(np.array([[1 / 7, 3 / 7, 3 / 7], [5 / 9, 3 / 9, 1 / 9]]))
    # .5 belongs to the bin that starts there
    assert applied("bbq")[0] == pytest.approx(np.array([0.6, 0.6, 0.4]) / 1.6)
    # .5 - .25 s: .45, .425, .375
    assert applied("spline")[0] == pytest.approx(np.array([0.45, 0.425, 0.375]) / 1.25)


def test_dirichlet_reads_log_probabilities_so_a_shift_of_logits_changes_nothing() -> None:
    weights = [[1.0, 0.5, 0.0], [0.0, 2.0, 0.0], [0.3, 0.0, 1.0]]
    moved = apply_multiclass({"method": "dirichlet", **GOOD["dirichlet"], "weights": weights}, LOGITS + 7.0)
    assert moved == pytest.approx(applied("dirichlet", weights=weights))
    assert apply_multiclass({"method": "matrix", **GOOD["matrix"], "weights": weights}, LOGITS + 7.0) != pytest.approx(
        applied("matrix", weights=weights)
    )


def test_classes_whose_curves_all_say_zero_share_evenly() -> None:
    nothing = curves(method="isotonic", scores=[0.0, 1.0], confidences=[0.0, 0.0])
    assert applied("isotonic", classes=nothing) == pytest.approx(np.full((2, 3), 1 / 3))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(GOOD)),
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=1, max_size=5),
)
def test_rows_sum_to_one_for_any_finite_logits(method: str, logits: list[list[float]]) -> None:
    probability = apply_multiclass({"method": method, **GOOD[method]}, np.array(logits))
    assert probability.min() >= 0
    assert probability.sum(axis=1) == pytest.approx(1, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["temperature", "ensemble_temperature"]), st.integers(0, 50))
def test_a_temperature_never_changes_the_answer(method: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (60, 3))
    (curve,) = FITS[method](logits, generator.integers(0, 3, 60))
    if curve.get("weights", [1, 0, 0])[2] < 0.999:  # all noise: every class alike
        assert (apply_multiclass(curve, logits).argmax(axis=1) == logits.argmax(axis=1)).all()


def test_every_method_is_fitted_applied_counted_and_checked() -> None:
    assert set(FITS) == set(KEYS) == set(GOOD) == set(parameters(3))
    assert {"temperature", "vector", "platt", "isotonic", "beta", "dirichlet", "ensemble_temperature"} < set(FITS)
    assert {"matrix", "histogram", "bbq", "spline"} < set(FITS)
    counts = parameters(7)
    assert counts["identity"] < counts["temperature"] < counts["vector"] < counts["matrix"] < counts["isotonic"]


@pytest.mark.parametrize("method", sorted(GOOD))
def test_good_maps_have_no_problem_and_their_class_count_matters(method: str) -> None:
    curve = {"method": method, **GOOD[method]}
    assert multiclass_problems(curve, 3, "map") == []
    assert bool(multiclass_problems(curve, 4, "map")) == (
        method not in {"identity", "temperature", "ensemble_temperature"}
    )


@pytest.mark.parametrize("method", sorted(GOOD))
def test_a_missing_and_a_foreign_key_are_refused(method: str) -> None:
    assert multiclass_problems({"method": method, **GOOD[method], "extra": 1}, 3, "map")[0].where == "map"
    for key in GOOD[method]:
        less = {name: value for name, value in GOOD[method].items() if name != key}
        assert multiclass_problems({"method": method, **less}, 3, "map")


@pytest.mark.parametrize(
    ("method", "change", "where"),
    [
        ("temperature", {"temperature": 0.0}, "map.temperature"),
        ("temperature", {"temperature": "1"}, "map.temperature"),
        ("temperature", {"temperature": True}, "map.temperature"),
        ("ensemble_temperature", {"weights": [0.5, 0.6, -0.1]}, "map.weights"),
        ("ensemble_temperature", {"weights": [0.5, 0.6, 0.1]}, "map.weights"),
        ("ensemble_temperature", {"weights": [0.5, 0.5]}, "map.weights"),
        ("vector", {"weights": [1, 2]}, "map.weights"),
        ("vector", {"biases": [1, 2, float("nan")]}, "map.biases"),
        ("matrix", {"weights": [1, 2, 3]}, "map.weights"),
        ("matrix", {"weights": [[1, 2, 3], [1, 2], [1, 2, 3]]}, "map.weights"),
        ("matrix", {"biases": ["1", "2", "3"]}, "map.biases"),
        ("dirichlet", {"penalty": None}, "map.penalty"),
        ("platt", {"classes": GOOD["beta"]["classes"]}, "map.classes[0]"),
        ("platt", {"classes": curves(method="platt", slope=-1.0, intercept=0.0)}, "map.classes[0].slope"),
        ("platt", {"classes": {"a": 1}}, "map.classes"),
        (
            "histogram",
            {"classes": curves(method="histogram", edges=[0.5, 0.2], confidences=[0.1] * 3)},
            "map.classes[0].edges",
        ),
        (
            "histogram",
            {"classes": curves(method="histogram", edges=[0.5], confidences=[0.1] * 3)},
            "map.classes[0].confidences",
        ),
        (
            "histogram",
            {"classes": curves(method="histogram", edges=[0.5], confidences=[0.1, 1.2])},
            "map.classes[0].confidences",
        ),
        ("histogram", {"classes": curves(method="histogram", edges="x", confidences=[0.1])}, "map.classes[0].edges"),
        ("bbq", {"classes": curves(method="bbq", confidences=[0.1])}, "map.classes[0]"),
        ("spline", {"classes": curves(method="spline", scores=[], confidences=[])}, "map.classes[0].confidences"),
        (
            "spline",
            {"classes": curves(method="spline", scores=[0.1], confidences=[0.1, 0.2])},
            "map.classes[0].confidences",
        ),
    ],
)
def test_a_stored_map_that_cannot_be_applied_is_refused(method: str, change: dict, where: str) -> None:
    problems = multiclass_problems({"method": method, **GOOD[method], **change}, 3, "map")
    assert problems[0].where == where
    assert len(problems) in {1, 3}  # one for each class where each curve is wrong


@pytest.mark.parametrize("curve", [None, [], {}, {"method": "magic"}, {"method": "logit"}])
def test_what_is_no_map_is_refused(curve: object) -> None:
    assert "a map with a method" in multiclass_problems(curve, 3, "map")[0].expected


def test_a_histogram_without_an_edge_is_one_bin() -> None:
    flat = {"classes": curves(method="histogram", edges=[], confidences=[0.4])}
    assert multiclass_problems({"method": "histogram", **flat}, 3, "map") == []
    assert applied("histogram", **flat) == pytest.approx(np.full((2, 3), 1 / 3))
    assert set(ONE_VS_REST) >= {"histogram", "bbq"}
