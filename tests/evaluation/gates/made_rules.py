"""Rules as tests write them: a whole one, of which a test changes what it is about."""

from datetime import date

from vouch.evaluation.gates.rules import Rule, Waiver

REQUIRED = {"stream": ("cabin", "rear"), "scenario": ("night",)}
WAIVER = Waiver(reason="rear camera is replaced in spring", expires=date(2027, 1, 31))
NOT_WORSE = {"source": "comparison", "bound": "verdict", "limit": 0}


def rule(**changed):
    base = {
        "source": "test",
        "metric": "recall",
        "limit": 0.95,
        "bound": "value",
        "min_groups": 10,
    }
    return Rule(**(base | changed))
