"""Files in and out, deterministically: the same values give the same bytes, and a file is whole or absent."""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FORMAT_VERSION = 1  # raise it when bytes on disk change; stages do not list this module as a dependency
DIGITS = 6  # decimals of a float in JSON and CSV: far below any interval's width, above float noise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it into place on success, remove it on failure.

    Works for files and for directories (make the directory at the yielded name).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


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
    if isinstance(content, np.ndarray | np.generic):
        return plain(content.tolist(), digits)
    if isinstance(content, Path):
        return content.as_posix()
    if isinstance(content, float) and math.isfinite(content):
        return round(content, digits) + 0.0  # + 0.0 turns -0.0 into 0.0
    return content


def read_json(path: Path) -> Any:
    """Read a JSON file as written by `write_json`."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_table(path: Path, table: pd.DataFrame, digits: int = DIGITS) -> None:
    """Write a table as `.parquet` (exact) or `.csv` (floats rounded); rows keep their order, the index is dropped."""
    with replacing(path) as temporary:
        if path.suffix == ".parquet":
            arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
            pq.write_table(arrow, temporary, compression="zstd", version="2.6", store_schema=False)
        else:
            table.to_csv(temporary, index=False, lineterminator="\n", float_format=f"%.{digits}f")


def read_table(path: Path) -> pd.DataFrame:
    """Read a table written by `write_table`; an empty CSV cell of a text column is an empty string there."""
    if path.suffix == ".parquet":
        table: pd.DataFrame = pq.read_table(path).to_pandas()
        return table
    return pd.read_csv(path, keep_default_na=False, dtype=str)


def sha256(path: Path) -> str:
    """Hash a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
