"""How a case goes in: as a command line or a stage's words, in this process, as the person's shell would give them."""

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from hostile.contract import Refused
from vouch import cli, stages

GROUND = "ground"  # in the pool's folder: the workspace that cases copy


def typed(*words: str) -> str:
    """Run `vouch` with these words and return what it prints.

    Raises
    ------
    Refused
        When it exits with another code than 0.
    """
    return _main(cli.main, ("vouch", *words))


def staged(module: ModuleType, *words: str) -> str:
    """Run a stage as `dvc repro` does and return what it prints.

    Raises
    ------
    Refused
        When it exits with another code than 0.
    """
    return _main(lambda: stages.main(module.run), (str(module.__file__), *words))


def _main(main: Callable[[], None], argv: tuple[str, ...]) -> str:
    # strict on standard output, lenient on standard error: as Python opens them in a UTF-8 shell
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    before, sys.argv = sys.argv, list(argv)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as error:
        if error.code not in (0, None):
            said = error.code if isinstance(error.code, str) else _text(err) or _text(out)
            raise Refused(said) from error
    finally:
        sys.argv = before
    return _text(out)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")


def workspace(folder: Path, *parts: str) -> Path:
    """Copy the ground, or parts of it, into a case's folder, and stand in it."""
    ground, here = folder.parent / GROUND, folder / "here"
    if not parts:
        shutil.copytree(ground, here, symlinks=True)
    (here / ".dvc/tmp/vouch").mkdir(parents=True, exist_ok=True)
    for part in parts:
        (here / part).parent.mkdir(parents=True, exist_ok=True)
        if (ground / part).is_dir():
            shutil.copytree(ground / part, here / part, symlinks=True)
        else:
            shutil.copyfile(ground / part, here / part)
    os.chdir(here)
    return here


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes: what a full disk does to a writer, without filling one."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
