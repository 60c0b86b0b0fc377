"""A folder of runs, followed while it changes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lm_eval_ext.view.folder import Folder, Found
from lm_eval_ext.view.index import Index
from lm_eval_ext.view.live import Live


@dataclass
class View:
    """A folder of runs and its index. `follow` keeps both up to date, in a thread of its own.

    Attributes:
        found: the latest look at the folder.
        fault: why the folder cannot be followed any more.
    """

    root: Path
    index: Index
    found: Found = field(default_factory=Found)
    fault: str = ""
    complete: bool = False

    def update(self, seconds: float = 1.0) -> None:
        """Looks at the folder and reads more of its samples, for about so long."""
        seen, self.found = self.found, self._folder.look()
        live = self._live.update(self.found.unfinished, seconds)
        newest = {(source.run, source.task): source for source in (*self.found.sources, *live)}
        self.complete = not self.index.update(newest.values(), seconds)
        self.index.version += seen != self.found

    def follow(self, ended: threading.Event, pause: float = 2.0) -> None:
        """Updates until the event is set; a folder that takes long to look at is looked at less often."""
        while not ended.is_set():
            start = time.monotonic()
            try:
                self.update()
                self.fault = ""
            except Exception as error:  # shown on every page; the next look may succeed
                self.fault = f"{type(error).__name__}: {error}"
            ended.wait(0.01 if not self.complete and not self.fault else max(pause, time.monotonic() - start))
        self.close()

    def close(self) -> None:
        """Ends the grader of unfinished runs."""
        self._live.close()

    @cached_property
    def _live(self) -> Live:
        return Live(self.index.folder)

    @cached_property
    def _folder(self) -> Folder:
        return Folder(self.root)
