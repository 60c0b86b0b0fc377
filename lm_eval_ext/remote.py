"""Remote paths (`s3://`, `gs://`, `hf://`, any that fsspec knows), copied to this machine and back."""

from __future__ import annotations

import glob as local_glob
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lm_eval_ext.errors import DataError, UserError
from lm_eval_ext.resume import locked_when_free, read_json, write_json

_HUB = "hf://"


def is_remote(path: str) -> bool:
    """Whether a path names a place that fsspec reads."""
    return "://" in path


def matches(pattern: str) -> list[str]:
    """The local or remote paths that a pattern matches."""
    if not is_remote(pattern):
        return local_glob.glob(os.path.expanduser(pattern), recursive=True)
    with _opened(pattern) as (fs, root):
        return [str(fs.unstrip_protocol(path)) for path in fs.glob(root)]


def local_copy(path: str, cache: Path) -> Path:
    """A local path with the content of `path`: itself, or its up-to-date copy in `cache`.

    What has not changed is not copied again; other processes wait for the one that copies.

    Raises UserError if a package for this kind of path is missing, DataError if it cannot be read.
    """
    if not is_remote(path):
        return Path(path).expanduser()
    if path.startswith(_HUB):
        return _from_hub(path.removeprefix(_HUB))
    name = path.rstrip("/").rpartition("/")[2]
    folder = cache / hashlib.sha256(path.encode()).hexdigest()[:16]
    target, record = folder / name, folder / "copied.json"
    with _opened(path) as (fs, root), locked_when_free(folder / "lock", target):
        files = {file: str(fs.info(file)) for file in fs.find(root)}
        if not files:
            raise DataError(f"{path} has no files: check the path and your access to it")
        if read_json(record) != files:
            record.unlink(missing_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            fs.get(root, str(target), recursive=True)
            write_json(record, files)
    return target


def copy_out(folder: Path, remote: str) -> None:
    """Copies the files of a local folder, hidden ones and locks apart, to a remote folder."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    files = [path for path in found if path.name[0] != "." and path.name != "lock"]
    with _opened(remote) as (fs, root):
        for file in files:
            target = f"{root.rstrip('/')}/{file.relative_to(folder).as_posix()}"
            fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            fs.put_file(str(file), target)


def _from_hub(name: str) -> Path:
    """`org/model[@revision][/folder]`, or `datasets/org/name...`, through the Hub's own cache."""
    from huggingface_hub import snapshot_download

    kind = "dataset" if name.startswith("datasets/") else "model"
    parts = name.removeprefix("datasets/").rstrip("/").split("/")
    if len(parts) < 2:
        raise UserError(f"{_HUB}{name}: expected {_HUB}org/model, {_HUB}org/model@revision or a folder in it")
    repository, _, revision = "/".join(parts[:2]).partition("@")
    inner = "/".join(parts[2:])
    only = [inner, f"{inner}/*"] if inner else None
    try:
        folder = snapshot_download(repository, repo_type=kind, revision=revision or None, allow_patterns=only)
    except (OSError, ValueError) as error:
        raise DataError(f"{_HUB}{name}: {str(error).splitlines()[0]}") from error
    return Path(folder) / inner


@contextmanager
def _opened(path: str) -> Iterator[tuple[Any, str]]:
    import fsspec

    try:
        yield fsspec.core.url_to_fs(path)
    except ImportError as error:
        raise UserError(
            f"{path} cannot be opened: {error} (pip install s3fs for s3://, gcsfs for gs://)"
        ) from None
    except (ValueError, OSError) as error:
        if isinstance(error, UserError):
            raise
        raise DataError(f"{path}: {' '.join(str(error).split()) or type(error).__name__}") from error
