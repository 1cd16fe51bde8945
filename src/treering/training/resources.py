"""What a process used: time, processor time, memory; and whether the system may have ended it for want of memory."""

import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from treering.settings import usable_memory

_PROC = Path("/proc")
# Where Linux counts the processes that it killed for want of memory: control groups of version 2, then of version 1.
_KILL_COUNTS = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))
# getrusage(2): ru_maxrss is in KiB on Linux, in bytes on macOS.
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """What a job's child and all that it waited for used.

    Attributes:
        wall_seconds: from its start to its end.
        user_seconds, system_seconds: of processors, all threads together.
        peak_memory_bytes: the most physical memory of any one process.
    """

    wall_seconds: float
    user_seconds: float
    system_seconds: float
    peak_memory_bytes: int

    def __str__(self) -> str:
        processor = f"{self.user_seconds + self.system_seconds:,.1f} s of processor time ({self.system_seconds:,.1f} s in the system)"
        return f"{self.wall_seconds:,.1f} s, {processor}, at most {memory_text(self.peak_memory_bytes)} of memory"


def memory_text(size: int) -> str:
    """Write a number of bytes as people say it.

    >>> memory_text(734_003_200), memory_text(17_179_869_184)
    ('700 MiB', '16.0 GiB')

    Args:
        size: in bytes.
    """
    return f"{size / 1024**2:,.0f} MiB" if size < 1024**3 else f"{size / 1024**3:,.1f} GiB"


def maximum_rss_bytes(usage: resource.struct_rusage) -> int:
    """Tell the peak that the system accounts to a process; it begins with its parent's, whose memory it shared before it became itself."""
    return int(usage.ru_maxrss) * _MAXRSS_BYTES


def peak_memory_of(pid: int | str) -> int:
    """Tell the most physical memory that a running process held since it became its program; 0 where the system does not tell."""
    try:
        lines = (_PROC / str(pid) / "status").read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def own_peak_memory() -> int:
    """Tell the peak of this process or of any that it waited for, whichever is more."""
    return max(peak_memory_of("self"), maximum_rss_bytes(resource.getrusage(resource.RUSAGE_CHILDREN)))


def out_of_memory_kills() -> int:
    """Tell how often the system killed a process of this machine or container for want of memory; 0 where it does not tell."""
    for path in _KILL_COUNTS:
        try:
            words = dict(line.split(maxsplit=1) for line in path.read_text("ascii").splitlines())
            return int(words["oom_kill"])
        except (OSError, ValueError, KeyError):
            continue
    return 0


def death_text(what: str, number: int, peak_memory_bytes: int, *, kills: int = 0) -> str:
    """Say what is known of a process that a signal ended.

    Args:
        what: the process, as it is called.
        number: the signal.
        peak_memory_bytes: of the process, as far as is known.
        kills: how many processes the system killed for want of memory meanwhile.
    """
    text = f"{what} was killed by signal {number} ({signal.strsignal(number)}); its memory was at most {memory_text(peak_memory_bytes)} of {memory_text(usable_memory())}."
    if number != signal.SIGKILL:
        return text
    if kills:
        return f"{text} The system ran out of memory and killed a process meanwhile. Give the job more memory or fewer columns."
    return f"{text} Out of memory? The system's log (dmesg) tells; otherwise somebody killed it."
