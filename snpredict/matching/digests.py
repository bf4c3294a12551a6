"""SHA-256 of the files that are read, worked out beside the reading."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from threading import Thread


class Digests:
    """Starts at once, on a thread of its own that ends with the process.

    Of a file with very many variants a model reads few, and the digest takes longer than they do:
    it is begun with the list of variants.

    Parameters
    ----------
    files : iterable of Path
    """

    def __init__(self, files: Iterable[Path]):
        self._files = list(files)
        self._digests: dict[str, str] = {}
        self._error: OSError | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self) -> dict[str, str]:
        """In hexadecimal by path, when all are done.

        Raises
        ------
        OSError
            A file cannot be read.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._digests

    def _run(self) -> None:
        try:
            for path in self._files:
                with path.open("rb") as file:
                    self._digests[str(path)] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            self._error = error
