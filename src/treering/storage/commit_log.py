"""Commits whose snapshots left a table's metadata: immutable files, merged so that there are few of them."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict

from treering.errors import CorruptDataError, OutcomeUnknownError
from treering.storage.objects import Objects, create_own
from treering.storage.recent import Recent
from treering.storage.snapshot import Commit

_FORMAT = 1


class CommitLog:
    """Reads and writes the history files of one table.

    A history is a text of file names, oldest first, that the table's metadata carry. A file is named
    `history-<first commit>-<last commit>-<id>.json`.

    Args:
        objects: where the table is.
        folder: the key of the table's folder.
    """

    def __init__(self, objects: Objects, folder: str) -> None:
        self._objects = objects
        self._folder = folder
        self._files: Recent[tuple[Commit, ...]] = Recent(64)

    def read(self, history: str) -> list[Commit]:
        """Read the commits of a history, oldest first."""
        return [commit for name in history.split() for commit in self._files.get(name, self._read)]

    def extended(self, history: str, commits: Sequence[Commit]) -> str:
        """Write commits that follow a history, and return the longer history.

        As in a binary counter, the newest file takes in those before it that are not larger: n commits leave about
        log2(n) files, and each commit is written about log2(n) times in all.
        """
        names, merged = history.split(), tuple(commits)
        while names and len(self._files.get(names[-1], self._read)) <= len(merged):
            merged = self._files.get(names.pop(), self._read) + merged
        return " ".join([*names, self._write(merged)])

    def _write(self, commits: tuple[Commit, ...]) -> str:
        id = secrets.token_hex(8)
        name = f"history-{commits[0].number}-{commits[-1].number}-{id}.json"
        data = json.dumps({"format": _FORMAT, "identity": id, "commits": [asdict(commit) for commit in commits]}, ensure_ascii=False).encode()
        if not create_own(self._objects, self._key(name), data):
            raise OutcomeUnknownError(f"{self._objects.uri(self._key(name))} holds what nobody should have written there. Repeat the call.")
        self._files.put(name, commits)
        return name

    def _read(self, name: str) -> tuple[Commit, ...]:
        try:
            return tuple(Commit(**commit) for commit in json.loads(self._objects.read(self._key(name)))["commits"])
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptDataError(f"{self._objects.uri(self._key(name))} is not the history that was written. Restore it from a backup.") from error

    def _key(self, name: str) -> str:
        return f"{self._folder}/metadata/{name}"
