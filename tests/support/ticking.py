"""A clock that tests hold in their hands."""

from dataclasses import dataclass


@dataclass
class Ticking:
    """Tells a time that moves on by `step` microseconds whenever it is asked."""

    now: int = 1_700_000_000_000_000
    step: int = 1_000

    def __call__(self) -> int:
        self.now += self.step
        return self.now
