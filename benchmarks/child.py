"""The whole life of a measured process: prepare, measure once, digest the answer, say it as one line of JSON.

Called as `python child.py make MODULE:FUNCTION DATA SCALE` and as
`python child.py run MODULE:FUNCTION ANSWER-MODULE:FUNCTION DATA SCRATCH ARGUMENTS-AS-JSON`.
"""

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

_MAXRSS_PER_KIB = 1024 if sys.platform == "darwin" else 1


def load(address: str) -> Callable[..., Any]:
    """Find the function that "module:function" names."""
    module, _, function = address.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    """The most memory that was resident at once so far, in MB of 2^20 bytes."""
    return resource.getrusage(who).ru_maxrss / _MAXRSS_PER_KIB / 1024


def cpu_seconds() -> float:
    """The processor time used so far, by all threads and by children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def make(maker: str, data: str, scale: str) -> None:
    """Fill a data folder."""
    load(maker)(Path(data), float(scale))


def run(prepare: str, answer: str, data: str, scratch: str, arguments: str) -> None:
    """Measure one contestant once."""
    work = load(prepare)(Path(data), Path(scratch), **dict(json.loads(arguments)))
    to_answer = load(answer)
    gc.collect()
    before, cpu_before, started = peak_mb(), cpu_seconds(), time.perf_counter()
    result = work()
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - cpu_before
    # Read before the answer is digested, which takes memory of its own.
    peak = max(peak_mb(), peak_mb(resource.RUSAGE_CHILDREN))
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak, "peak_before_mb": before, "answer": to_answer(result)}))


if __name__ == "__main__":
    {"make": make, "run": run}[sys.argv[1]](*sys.argv[2:])
