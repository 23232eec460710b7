"""What makes a run the run it is: a key made of everything that changes its numbers, and of nothing else."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from movesim.behaviour.parameters import fingerprint

ARITHMETIC = ("numpy", "numba", "scipy")  # another version may give another last bit


def source_of(path: str) -> str:
    """Return a hash of one source file, for work whose numbers come from it as well as from the model (model_id)."""
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=8).hexdigest()


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that do arithmetic."""
    return {name: metadata.version(name) for name in ARITHMETIC}


class Keys:
    """Makes the keys of a study's runs: `identity` is what all of them share (place, people, seed, scenarios, sources, ...).

    A run is then told by its replicate and by the numbers that its point of the design sets, in whatever order they come, so
    a point has the same key in a larger design.

    >>> Keys({"place": "x"}).key(0) == Keys({"place": "x"}).key(0, {})
    True
    """

    def __init__(self, identity: Mapping[str, Any]) -> None:
        self._start = hashlib.blake2b(fingerprint(dict(identity)).encode(), digest_size=16)

    def key(self, replicate: int, numbers: Mapping[str, float] | None = None) -> str:
        """Return the key of a run, 32 hexadecimal digits; every bit of every number counts."""
        digest = self._start.copy()
        for path in sorted(numbers or ()):
            digest.update(b"%s=%s;" % (path.encode(), struct.pack("<d", numbers[path] + 0.0)))  # type: ignore[index]
        digest.update(b"#%d" % replicate)
        return digest.hexdigest()


def in_shard(key: str, shard: tuple[int, int] | None) -> bool:
    """Tell whether a run belongs to a shard (i, n), i from 1; runs fall into shards by their key alone."""
    return shard is None or int(key[:12], 16) % shard[1] == shard[0] - 1
