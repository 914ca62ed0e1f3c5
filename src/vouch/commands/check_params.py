"""Check params.yaml as a whole, and a model's name, before DVC makes commands of them: `make repro`, `make check`."""

import sys

from vouch.errors import ParamsError, Problem, exiting, refuse_any
from vouch.names import wrong_names
from vouch.params import PARAMS, read_params
from vouch.roads import check_pipeline, check_workspace


def check_params(model: str = "") -> None:
    """Refuse names, paths and entries of `pipeline`, `datasets` and `models` that are wrong, and a MODEL that is none.

    Raises
    ------
    ParamsError
        Listing every problem.
    """
    refuse_any(ParamsError, wrong_names([("MODEL", model)] if model else []))
    check_workspace()
    pipeline = check_pipeline(read_params(), str(PARAMS))
    if model and model not in pipeline.models:
        known = ", ".join(pipeline.models)
        raise ParamsError([Problem("MODEL", f"one of {known}", model, "name one of pipeline.models")])


if __name__ == "__main__":
    with exiting():
        check_params(*sys.argv[1:])
