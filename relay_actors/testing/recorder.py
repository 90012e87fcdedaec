"""Records a running application into a file, redacted, as its frames cross. Layer: door.

Each frame is redacted on the thread that drives the connection: that costs some 0.1 ms a frame, more than to handle it.
"""

from __future__ import annotations

import contextlib
import logging
import os
from io import TextIOWrapper
from types import TracebackType
from typing import Self

from relay_actors.app import RelayApp
from relay_actors.errors import ConfigError
from relay_actors.runtime.base import Clock
from relay_actors.testing.capture import Capture
from relay_actors.testing.recording import Recording, as_line, line_of, redacted
from relay_actors.testing.redaction import Redaction

__all__ = ["Recorder"]

_log = logging.getLogger(__name__)


class Recorder:
    """Writes a recording of an application, while its ``with`` statement lasts. Enter it before the start.

    The file is for `Recording.read`, with the id of a call or without: ids in it are as they were. If it cannot be
    written any more, the log says so, and the application goes on.

    Args:
        app: which application; not running.
        path: of the file, which must not be there yet.
        clock: for the times.
        keeps_words: whether to keep what is said and texted.

    Raises:
        ConfigError: when it is entered: the file is there already, or cannot be written.
    """

    def __init__(self, app: RelayApp, path: str | os.PathLike[str], clock: Clock, *, keeps_words: bool = False) -> None:
        self._app = app
        self._path = os.fspath(path)
        self._clock = clock
        self._redaction = Redaction(keeps_words=keeps_words)
        self._capture = Capture()
        self._began: float | None = None
        self._file: TextIOWrapper | None = None

    def __enter__(self) -> Self:
        try:
            # Private: what stands in it is redacted, and still somebody's call.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise ConfigError(
                f"the recording {self._path} is there already: give a new name, or take it away"
            ) from None
        except OSError as error:
            raise ConfigError(f"the recording {self._path} cannot be written: {error.strerror}") from error
        self._file = open(descriptor, "w", encoding="utf-8", buffering=1)
        head = Recording([], "run", self._redaction.keeps_words, self._redaction.salt, is_named=False).head()
        self._write(head)
        self._app.tell_frames = self._take
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._app.tell_frames = None
        self._close()
        if kind is not None and self._began is None:  # it came to nothing: the name is free for the next try
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def _take(self, is_from_client: bool, text: bytes) -> None:
        if self._file is None:
            return
        at = self._clock.now()
        one = self._capture.take(at, self._clock.wall(), is_from_client, text)
        for secret in self._capture.secrets:
            self._redaction.learn(secret)
        self._capture.forget()
        if one is not None:
            self._began = at if self._began is None else self._began
            self._write(as_line(redacted(one.moved(-self._began), self._redaction)))

    def _write(self, line: dict[str, object]) -> None:
        file, text = self._file, line_of(line) + "\n"
        if file is None:
            return
        try:
            with contextlib.suppress(ValueError):  # closed meanwhile, by the end of the block on another thread
                file.write(text)
        except OSError as error:
            _log.error("the recording %s cannot be written any more: %s", self._path, error.strerror)
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # a full disk, which the log has told of
                file.close()
