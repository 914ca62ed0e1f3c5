"""Files in and out, deterministically: the same values give the same bytes, and a file is whole or absent."""

import errno
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vouch.documents import JSON_CHARACTERS, parse_json, read_text, refusal
from vouch.errors import Problem, WorkspaceError

if TYPE_CHECKING:  # tables alone take numpy, pandas and pyarrow, and half a second to import them: JSON does without
    import numpy.typing as npt
    import pandas as pd

DIGITS = 6  # decimals of a float in JSON and CSV: far below any interval's width, above float noise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside the file `path`; rename it into place on success, remove it on failure.

    Raises
    ------
    WorkspaceError
        When a folder, or anything else that is no file, stands at `path`, before the block or after it.
    """
    _refuse_other(path)
    with holder(path), _removed(part(path)) as temporary:
        yield temporary
        _refuse_other(path)
        temporary.replace(path)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary name for a folder beside `path`; on success it takes the place of a folder that stands there.

    Only for a folder that a stage or command owns: what is in it goes. A failure leaves it as it was.

    Raises
    ------
    WorkspaceError
        When a file or a link stands at `path`.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise WorkspaceError([Problem(str(path), "a folder, or nothing", "something else", "move it away")])
    with holder(path), _removed(part(path)) as temporary, _removed(part(path).with_suffix(".old")) as old:
        yield temporary
        if path.exists():
            path.rename(old)
        try:
            temporary.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a folder that becomes `path` when all is written, and nothing when it is not.

    Raises
    ------
    WorkspaceError
        When something stands at `path`, an empty folder excepted, before the block or after it.
    """
    _refuse_taken(path)
    with holder(path), _removed(part(path)) as temporary:
        temporary.mkdir()
        yield temporary
        _refuse_taken(path)
        temporary.rename(path)  # over an empty folder at most: the system itself refuses any other


def part(path: Path) -> Path:
    """Return the name, hidden and this process's own, under which `path` is written before it is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


@contextmanager
def holder(path: Path) -> Iterator[None]:
    """Make the folder that is to hold `path`, and on failure remove again what was made and is still empty."""
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in made:
            with suppress(OSError):  # it was never made, or something else is in it by now
                folder.rmdir()
        raise


@contextmanager
def _removed(temporary: Path) -> Iterator[Path]:
    try:
        yield temporary
    finally:
        if temporary.is_dir() and not temporary.is_symlink():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def _refuse_other(path: Path) -> None:
    """Refuse to replace a folder, a link to one, a device: the place of a file holds a file or nothing."""
    if path.exists() and not path.is_file():
        got = "a folder" if path.is_dir() else "something else"
        raise WorkspaceError([Problem(str(path), "a file, or nothing", got, "name a file")])


def is_free(path: Path) -> bool:
    """Say whether a new folder may be written at `path`: nothing stands there, or an empty folder."""
    if not path.name or path.is_symlink():
        return False
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def _refuse_taken(path: Path) -> None:
    if not is_free(path):
        raise WorkspaceError([Problem(str(path), "no folder, or an empty one", "files", "name another, or remove it")])


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 text with line feeds, whole or not at all."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: object, digits: int = DIGITS) -> None:
    """Write JSON with sorted keys and floats rounded to `digits` decimals; NaN and infinity are refused."""
    write_text(path, dumps(content, digits))


def dumps(content: object, digits: int = DIGITS) -> str:
    """Return the canonical JSON text that `write_json` writes."""
    return json.dumps(plain(content, digits), indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def plain(content: object, digits: int = DIGITS) -> Any:
    """Turn numpy scalars, arrays, tuples and paths into JSON's own types, floats rounded to `digits` decimals."""
    if isinstance(content, dict):
        return {str(key): plain(value, digits) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value, digits) for value in content]
    if type(content).__module__ == "numpy":
        return plain(content.tolist(), digits)  # type: ignore[attr-defined]
    if isinstance(content, Path):
        return content.as_posix()
    if isinstance(content, float) and math.isfinite(content):
        return round(content, digits) + 0.0  # + 0.0 turns -0.0 into 0.0
    return content


def read_json(path: Path) -> Any:
    """Read a JSON file as written by `write_json`.

    Raises
    ------
    DocumentError
        When it is no JSON, or no regular file.
    """
    _need(path)
    return parse_json(read_text(path, str(path), max_bytes=JSON_CHARACTERS), str(path))


def write_table(path: Path, table: "pd.DataFrame", digits: int = DIGITS) -> None:
    """Write a table as `.parquet` (exact) or `.csv` (floats rounded); rows keep their order, the index is dropped."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replacing(path.absolute()) as temporary:  # absolute: pandas and pyarrow take a leading ~ for the home folder
        if path.suffix.lower() == ".parquet":
            arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
            pq.write_table(arrow, temporary, compression="zstd", version="2.6", store_schema=False)
        else:
            table.to_csv(temporary, index=False, lineterminator="\n", float_format=f"%.{digits}f")


def read_table(path: Path) -> "pd.DataFrame":
    """Read a table written by `write_table`; an empty CSV cell of a text column is an empty string there.

    What pandas notes in a parquet file of its index and types is passed over: `write_table` leaves it out.

    Raises
    ------
    DocumentError
        When the file is no such table.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    with _reading(path):
        if path.suffix.lower() == ".parquet":
            table: pd.DataFrame = pq.read_table(path.absolute()).to_pandas(ignore_metadata=True)
            return table
        return pd.read_csv(path.absolute(), keep_default_na=False, dtype=str)


def read_columns(path: Path) -> dict[str, "npt.NDArray[Any]"]:
    """Read a small `.parquet` table written by `write_table` as arrays, without pandas, which takes .4 s to import.

    Values go by way of Python, .1 s for 100,000: `to_numpy` imports pandas, and so does `pyarrow.parquet.read_table`.

    Raises
    ------
    DocumentError
        When the file is no such table.
    """
    import numpy as np
    import pyarrow.parquet as pq

    with _reading(path):
        table = pq.ParquetFile(path.absolute()).read()
        return {name: np.array(values) for name, values in table.to_pydict().items()}


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Refuse a file that is no table; what the machine has to say of it is passed on."""
    import pyarrow as pa

    _need(path)
    try:
        yield
    except (pa.ArrowException, ValueError, OSError) as error:  # pandas' own are ValueErrors
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the machine's; of what it finds in a file, pyarrow makes one without the number
        got = (str(error) or type(error).__name__).splitlines()[0]
        raise refusal(str(path), "a table (.parquet, .csv)", got, "write it again") from error


def _need(path: Path) -> None:
    """Raise the error of the machine where nothing is, which `exiting` names; pyarrow leaves out its number."""
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def sha256(path: Path) -> str:
    """Hash a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
