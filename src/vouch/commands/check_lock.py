"""Check that dvc.lock is in step with code, parameters and what is here of the data: `make check`."""

from vouch.commands.staleness import RECORDED, stale
from vouch.errors import Problem, WorkspaceError, exiting, refuse_any

BRING_BACK = "run `dvc checkout`, or `dvc pull` where a remote holds it; then repeat"
BUILD = "run `make repro`, and commit dvc.lock"


def check_lock() -> None:
    """Return when every stage is as dvc.lock records it; data that are absent as a whole, as in a clone, are no fault.

    Raises
    ------
    WorkspaceError
        Naming each stage that is not, and the tracked data that make it so or that it cannot run without: folders of
        which a part is here, and what changed stages read and is not here.
    """
    found = stale((), "dvc repro")
    problems = [Problem(path, "all of it", got, BRING_BACK) for path, got in found.lacking.items()]
    remedy = "bring back what is here in part first" if any(map(found.is_part, found.lacking)) else BUILD
    problems += [Problem(one, RECORDED, "others", remedy) for one in found.stages]
    refuse_any(WorkspaceError, problems)


if __name__ == "__main__":
    with exiting():
        check_lock()
