"""Files as a revision of git or an experiment of DVC has them: git knows hashes, DVC's cache or remote has content."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vouch import io
from vouch.errors import Problem, WorkspaceError, refuse_any

if TYPE_CHECKING:
    import pandas as pd


def contents(places: Iterable[Path], revision: str, *, option: str, expected: str, remedy: str) -> dict[Path, bytes]:
    """Return what stands in each of these files at a revision; what git keeps and what DVC keeps alike.

    Parameters
    ----------
    places
        Files of the repository, relative to its root.
    revision
        A branch, tag or commit, or the name of an experiment.
    option
        Of the command line, that names the revision.
    expected, remedy
        What the file of a revision should be, and what to do where it is not.

    Raises
    ------
    WorkspaceError
        When there is no such revision; naming every file that it, or DVC's cache and remote, do not have.
    """
    from dvc.exceptions import DvcException  # half a second that who reads what is here need not wait

    system, found, problems = _opened(revision, option), {}, []
    for path in places:
        try:
            with system.open(path.as_posix(), mode="rb") as stream:
                found[path] = bytes(stream.read())
        except (DvcException, OSError) as error:
            said = " ".join(str(error).split()) or type(error).__name__
            said = said if system.exists(path.as_posix()) else "no such file at that time"
            problems.append(Problem(f"{path} at {revision}", expected, said, remedy))
    system.close()
    refuse_any(WorkspaceError, problems)
    return found


def as_table(path: Path, content: bytes) -> "pd.DataFrame":
    """Return the table that is the content of the file `path` at some revision.

    Raises
    ------
    DocumentError
        When it is none.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, path.name)
        place.write_bytes(content)
        return io.read_table(place)


def _opened(revision: str, option: str) -> Any:
    """Return a revision's files, git's and DVC's as one tree."""
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc.scm import SCMError

    try:
        if not revision.strip():  # DVC would take the files of this checkout
            raise ValueError("an empty name")
        system = DVCFileSystem(rev=revision)
        system.repo  # noqa: B018 (it is resolved when it is first asked for)
    except (SCMError, DvcException, ValueError) as error:  # a ValueError of a name that git cannot have
        said = " ".join(str(error).split()) or type(error).__name__
        remedy = "name a branch, tag, commit or experiment that `git rev-parse` or `dvc exp list` knows"
        raise WorkspaceError([Problem(f"{option} {revision}", "a revision of git", said, remedy)]) from error
    return system
