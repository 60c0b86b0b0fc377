"""Where data comes from: the Hub, the packaged sample, or a folder.

`LM_EVAL_EXT_DATA`, or `--metadata '{"data": ...}'`, says which:

    unset       the Hugging Face Hub
    sample      the problems that ship with the package
    <folder>    files in the Hub's schema (.jsonl or .parquet), one folder per data set; may be remote:
                mathnet/ hendrycks_math/<subject>/ math500/ gsm8k/ aime24/ ..., each file named after its
                split
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from http.client import HTTPException
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from lm_eval_ext import jsonl
from lm_eval_ext.errors import DataError
from lm_eval_ext.harness.weights import here
from lm_eval_ext.remote import is_remote

Row = dict[str, Any]

VARIABLE = "LM_EVAL_EXT_DATA"
SAMPLE = "sample"
DELIMITERS = {".csv": ",", ".tsv": "\t"}
FORMATS = (".jsonl", ".parquet", *DELIMITERS)
NO_FOLDER = f"no such folder: set {VARIABLE} to a folder, to {SAMPLE}, or unset it"
_PATIENCE_S = 3.0
"""For the Hub to answer."""


@dataclass(frozen=True)
class HubDataset:
    """The names of a data set on the Hub and in a data folder.

    Attributes:
        folder: name in a data folder, "hendrycks_math/algebra".
        path: name on the Hub.
        config: configuration on the Hub; None: its only one, or "all".
    """

    folder: str
    path: str
    config: str | None = None


def source(data: str | None = None) -> str | None:
    """`data` if given, else the environment variable; None means the Hub."""
    return data or os.environ.get(VARIABLE) or None


def check_place(data: str | None = None) -> None:
    """Raises DataError if data is to come from a folder that does not exist."""
    place = source(data) or SAMPLE
    if place != SAMPLE and not is_remote(place) and not here(place).is_dir():
        raise DataError(f"{VARIABLE} (or metadata 'data') is {place!r}: {NO_FOLDER}")


def is_sample(data: str | None) -> bool:
    """Whether rows come from the packaged sample."""
    return source(data) == SAMPLE


def load(dataset: HubDataset, splits: tuple[str, ...], data: str | None = None) -> list[Row]:
    """Rows of the named splits that exist, in order.

    Raises DataError without files, or with the number of a line that cannot be read.
    """
    place = source(data)
    if place is None:
        return load_from_hub(dataset, splits)
    folder = folder_of(dataset, place)
    found = [path for split in splits for path in _split_files(folder, split)]
    if not found:
        raise DataError(
            f"no {' or '.join(splits)} file (.jsonl, .parquet) of {dataset.path} in {folder}: "
            f"{VARIABLE} (or metadata 'data') is {place!r}; unset it for the Hub, set it to "
            f"{SAMPLE!r} for the packaged problems"
        )
    return [row for path in found for row in read_rows(path)]


def is_there(dataset: HubDataset, split: str, data: str | None = None) -> bool:
    """Whether a data folder has files of the split; the Hub is assumed to."""
    place = source(data)
    return place is None or bool(_split_files(folder_of(dataset, place), split))


def folder_of(dataset: HubDataset, place: str) -> Path:
    """The folder of a data set at a place: the packaged sample, or a data folder."""
    root = Path(str(files("lm_eval_ext"))) / "sample" if place == SAMPLE else here(place)
    return root / dataset.folder


def read_rows(path: Path) -> Iterator[Row]:
    """Rows of a .jsonl, .parquet, .csv or .tsv file; values of the last two are strings.

    Raises DataError with the number of a line that cannot be read.
    """
    if path.suffix == ".parquet":
        import pyarrow.parquet

        for number, row in enumerate(pyarrow.parquet.read_table(path).to_pylist(), start=1):
            yield Located(row, f"{path}, row {number}")
    elif path.suffix in DELIMITERS:
        yield from _read_csv(path)
    else:
        with path.open("rb") as lines:
            for place, _, row in jsonl.read_objects(lines, str(path)):
                yield Located(row, place)


def _read_csv(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, delimiter=DELIMITERS[path.suffix], strict=True)
            for row in reader:
                if None in row or None in row.values():
                    raise DataError(
                        f"{path}, line {reader.line_num}: not {len(reader.fieldnames or ())} values, as the "
                        "header has; quote values that contain the delimiter"
                    )
                yield Located(row, f"{path}, line {reader.line_num}")
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a table in UTF-8: {error}") from error


def _split_files(folder: Path, split: str) -> list[Path]:
    """`test.jsonl`, `test.parquet` or the shards `test-00000-of-00002.parquet`."""
    kinds = (".jsonl", ".parquet")
    return sorted(
        path
        for path in folder.glob(f"{split}*")
        if path.suffix in kinds and path.stem.partition("-")[0] == split
    )


def offline() -> bool:
    """Whether HF_HUB_OFFLINE keeps this process from the Hub."""
    return os.environ.get("HF_HUB_OFFLINE", "0").lower() not in ("", "0", "false", "no", "off")


@lru_cache(maxsize=1)
def no_hub() -> str | None:
    """Why the Hub is unreachable, after at most a few seconds; None if it answers."""
    if offline():
        return "HF_HUB_OFFLINE is set"
    hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        urlopen(Request(hub, method="HEAD"), timeout=_PATIENCE_S).close()
    except HTTPError:  # an answer too
        return None
    except (OSError, ValueError, HTTPException) as error:
        return f"{hub} does not answer: {getattr(error, 'reason', error)}"
    return None


def cached(path: str = "*", kind: str = "datasets") -> bool:
    """Whether a data set (by default: any), or of the kind "models" a model, is in this machine's cache."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    prepared = Path(os.environ.get("HF_DATASETS_CACHE", home / "datasets"))
    patterns = ((hub, f"{kind}--{path.replace('/', '--')}"), (prepared, path.replace("/", "___")))
    return any(
        entry.is_dir() and fnmatch(entry.name.lower(), pattern.lower())
        for folder, pattern in patterns
        if folder.is_dir()
        for entry in folder.iterdir()
    )


def unavailable(what: str, why: str) -> DataError:
    """The error for data that neither the cache nor the Hub can provide."""
    return DataError(
        f"{what}: {why}, and the cache has none; set {VARIABLE}={SAMPLE} for the packaged problems, or to a "
        "folder of your own files"
    )


def load_from_hub(dataset: HubDataset, splits: tuple[str, ...]) -> list[Row]:
    """Rows of the named splits on the Hub, or in its cache. Raises DataError."""
    if not cached(dataset.path) and (why := no_hub()):
        raise unavailable(dataset.path, why)
    import datasets

    try:
        names = datasets.get_dataset_config_names(dataset.path)
        config = dataset.config or ("all" if "all" in names else names[0])
        loaded = datasets.load_dataset(dataset.path, config)
    except Exception as error:
        raise DataError(
            f"cannot load {dataset.path} from the Hub ({type(error).__name__}: {str(error)[:200]}); "
            f"set {VARIABLE}={SAMPLE} for the packaged problems, or to a folder of your own files"
        ) from error
    rows: list[Row] = [
        Located(row, f"{dataset.path}, split {split}, row {number}")
        for split in splits
        if split in loaded
        for number, row in enumerate(loaded[split], start=1)
    ]
    if not rows:
        raise DataError(f"{dataset.path} on the Hub has the splits {list(loaded)}; expected one of {splits}")
    return rows


class Located(dict[str, Any]):
    """A row that knows its place, for errors."""

    def __init__(self, row: Row, place: str) -> None:
        super().__init__(row)
        self.place = place


def place_of(row: Row, otherwise: str) -> str:
    """File and line of a row, or its place on the Hub; `otherwise` if unknown."""
    return getattr(row, "place", otherwise)


def field(row: Row, names: tuple[str, ...], where: str, advice: str = "") -> Any:
    """The first of `names` that the row has: data sets rename columns between releases.

    Raises DataError, which ends with the advice, if it has none of them.
    """
    for name in names:
        if name in row:
            return row[name]
    raise DataError(
        f"{place_of(row, where)}: no column {' or '.join(names)}; the row has {sorted(row)}{advice}"
    )
