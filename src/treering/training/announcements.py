"""What a child tells its parent beside its output: its phase, why it gives up, how much memory it took. No user's text runs over this pipe."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from treering.training.job import MAXIMUM_REASON, SecondaryStatus

ANNOUNCED = (SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING, SecondaryStatus.UPLOADING)
"""The phases that a child knows of itself; its start and its end are its parent's to say."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One thing that a child says.

    Attributes:
        phase: what it does from now on; None if it says something else.
        message: about the phase.
        failure: why it gives up; empty if it does not.
        peak_memory_bytes: of itself and what it ran; 0 if it says something else.
    """

    phase: SecondaryStatus | None = None
    message: str = ""
    failure: str = ""
    peak_memory_bytes: int = 0

    def to_line(self) -> bytes:
        """Write one line for the pipe."""
        said = [self.phase, self.message, self.failure[:MAXIMUM_REASON], self.peak_memory_bytes]
        return json.dumps(said).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Announcement":
        """Read what `to_line` wrote; what is no announcement says nothing."""
        try:
            phase, message, failure, peak = json.loads(line)
            known = None if phase is None else SecondaryStatus(phase)
            return cls(known if known in ANNOUNCED else None, str(message), str(failure), int(peak))
        except (ValueError, TypeError):
            return cls()


Announce = Callable[[Announcement], None]
"""Tells the parent."""


def announcer(descriptor: int) -> Announce:
    """Make the function that announces over a pipe; what the child starts does not get hold of it.

    Args:
        descriptor: of the pipe's end for writing. It is never closed: its end tells the parent that the child has gone.
    """
    os.set_inheritable(descriptor, False)  # noqa: FBT003

    def announce(announcement: Announcement) -> None:
        os.write(descriptor, announcement.to_line())

    return announce
