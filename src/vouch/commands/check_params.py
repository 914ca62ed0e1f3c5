"""Check params.yaml as a whole, and MODEL, before DVC makes commands of them: `make repro`, `make check`."""

import sys

from vouch.commands.known import refuse_unknown
from vouch.errors import ParamsError, exiting, refuse_any
from vouch.names import wrong_names
from vouch.params import PARAMS, read_params
from vouch.road_agreement import check_pipeline, check_workspace


def check_params(model: str = "") -> None:
    """Refuse wrong names, paths and entries of params.yaml, and a MODEL that is neither a model nor a system.

    Raises
    ------
    ParamsError
        Listing every problem.
    """
    refuse_any(ParamsError, wrong_names([("MODEL", model)] if model else []))
    check_workspace()
    check_pipeline(read_params(), str(PARAMS))
    if model:
        refuse_unknown({"model_or_system": model})


if __name__ == "__main__":
    with exiting():
        check_params(*sys.argv[1:])
