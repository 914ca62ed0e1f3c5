import pytest

from policies.made import accepting, certified
from vouch.policies.fit.usefulness import of_little_use


@pytest.mark.parametrize(
    ("coverage", "said"),
    [
        (0.0104, ["it answers 0.010 of the photographs of val_calib, less than 0.1: nearly all go to a person"]),
        (0.0999, ["it answers 0.100 of the photographs of val_calib, less than 0.1: nearly all go to a person"]),
        (0.1, []),
        (None, []),
    ],
)
@pytest.mark.parametrize("kind", ["threshold", "gate", "scrc"])
def test_exits_that_leave_nearly_all_to_a_person_are_of_little_use(
    kind: str, coverage: float | None, said: list[str]
) -> None:
    policy = certified(kind, "works") | {"evidence": {"coverage": coverage}}
    assert of_little_use(policy) == said
    assert of_little_use(policy | {"feasible": False, "infeasible": {"*": "too few"}}) == []


def test_a_class_that_is_missed_or_wrong_more_often_than_not_is_told_with_its_figure() -> None:
    evidence = {
        "cone": {"recall": 0.067, "precision": 0.93},
        "lamp": {"recall": 0.99, "precision": 0.049},
        "half": {"recall": 0.5, "precision": 0.5},
        "none": {"recall": None, "precision": None},
        "known": {"recall": 0.1, "precision": 0.1},
    }
    policy = accepting(dict.fromkeys(evidence, 0.5)) | {"evidence": evidence, "infeasible": {"known": "out of reach"}}
    assert of_little_use(policy) == [
        "cone: recall on val_calib is 0.067, less than 0.5: more are missed than found",
        "lamp: precision on val_calib is 0.049, less than 0.5: more is accepted wrongly than rightly",
    ]
