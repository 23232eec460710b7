"""Chance with an address: every draw is a pure function of (seed, person, week, stream, index).

The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"). Its
counter is (id low, id high, week + 2**31, stream * 2**16 + index); its key is the first 64 bits of blake2b of
"seed:replicate". No state is carried, so threads, blocks, the order of persons and restarts cannot change a draw, and two
scenarios share every one of them.
"""

from __future__ import annotations

import hashlib
import platform
from functools import partial
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import njit, uint32, uint64
from numpy.typing import NDArray

from movesim.config import cache_folder
from movesim.words import INTERVENTION_STREAMS, STREAMS


def _sources_hash() -> str:
    """Return a hash of every source that holds compiled code, of Numba and of Python.

    Numba's own disk cache does not see edits in imported files; a folder named by this hash does.
    """
    here = Path(__file__).parent
    digest = hashlib.blake2b(f"{numba.__version__}:{platform.python_version()}:{platform.machine()}".encode(), digest_size=8)
    for path in sorted(
        [Path(__file__), *here.glob("place/*.py"), *here.glob("behaviour/*.py"), *here.glob("outcomes/record.py")]
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()


numba.config.CACHE_DIR = str(cache_folder("compiled", _sources_hash()))


def is_compiled() -> bool:
    """Tell whether compiled code of these sources is on disk already."""
    return any(Path(numba.config.CACHE_DIR).rglob("*.nbi"))


# How every compiled function is compiled: cached on disk, without the interpreter's lock, division as in IEEE 754.
# No fast-math: a vector body and a scalar tail then give the same bits, so no block offset can change a life.
compiled = partial(njit, cache=True, nogil=True, error_model="numpy")

WEEK_ZERO = 2**31
Key = tuple[np.uint32, np.uint32]


LOW_HALF = 0xFFFFFFFF


@njit(inline="always")
def _round(c0, c1, c2, c3, k0, k1):
    p0 = (c0 & uint64(LOW_HALF)) * uint64(0xD2511F53)
    p1 = (c2 & uint64(LOW_HALF)) * uint64(0xCD9E8D57)
    return (p1 >> uint64(32)) ^ c1 ^ k0, p1, (p0 >> uint64(32)) ^ c3 ^ k1, p0


@njit(inline="always")
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four 32-bit words of Philox4x32-10 for a 128-bit counter and a 64-bit key (all uint32).

    Words are worked on in 64-bit lanes whose upper halves are left to whatever they become and cut off at the end: a product
    of 32 by 32 bits is then one vector instruction, with nothing packed or unpacked between rounds.
    """
    c0, c1, c2, c3 = uint64(c0), uint64(c1), uint64(c2), uint64(c3)
    k0, k1 = uint64(k0), uint64(k1)
    for _ in range(10):
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
        k0 += uint64(0x9E3779B9)
        k1 += uint64(0xBB67AE85)
    return uint32(c0), uint32(c1), uint32(c2), uint32(c3)


@compiled
def fill_words(ids, week, stream, k0, k1, w0, w1, w2, w3):
    """Fill four uint32 columns with the words of (person, week, stream); the compiled model calls this block by block."""
    for j in range(ids.size):
        w0[j], w1[j], w2[j], w3[j] = philox(ids[j] & uint64(LOW_HALF), ids[j] >> uint64(32), week, stream, k0, k1)


def key(seed: int, replicate: int | str = 0) -> Key:
    """Return the 64-bit Philox key of a seed and a replicate as two 32-bit words.

    >>> key(1, 0) == key(1, 0), key(1, 0) == key(1, 1)
    (True, False)
    """
    digest = hashlib.blake2b(f"{seed}:{replicate}".encode()).digest()[:8]
    number = int.from_bytes(digest, "little")
    return np.uint32(number & 0xFFFFFFFF), np.uint32(number >> 32)


def hash_id(*parts: object) -> np.uint64:
    """Return a 64-bit identity made from the parts (a code and a number, a mother's id and a week)."""
    digest = hashlib.blake2b(":".join(str(p) for p in parts).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def stream_of(name: str) -> int:
    """Return the stream number of an intervention: a hash of its name, so that no other intervention changes its draws."""
    first, last = INTERVENTION_STREAMS
    return first + int(hash_id("intervention", name) % np.uint64(last - first))


def words(ids: Any, week: int, stream: int | str, key: Key, index: int = 0) -> NDArray[np.uint32]:
    """Return the four words of every id, shape (4, n), for one week (may be negative), stream (name or number) and index."""
    number = STREAMS[stream] if isinstance(stream, str) else int(stream)
    ids = np.ascontiguousarray(np.atleast_1d(np.asarray(ids, dtype=np.uint64)))
    out = np.empty((4, ids.size), np.uint32)
    at = np.uint32((int(week) + WEEK_ZERO) & 0xFFFFFFFF)
    fill_words(ids, at, np.uint32((number << 16) + index), key[0], key[1], out[0], out[1], out[2], out[3])
    return out


def decision(word: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return uniforms in [0, 1) with 24 bits, exact in single precision: what a probability is compared with."""
    return (word >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def open_uniform(word: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return uniforms strictly inside (0, 1) in double precision: what a quantile or a logarithm is taken of."""
    return (word.astype(np.float64) + 0.5) * 2.0**-32


def uniform(ids: Any, week: int, stream: int | str, key: Key, index: int = 0, word: int = 0) -> NDArray[np.float64]:
    """Return one uniform in (0, 1) per id."""
    return open_uniform(words(ids, week, stream, key, index)[word])


def normal(ids: Any, week: int, stream: int | str, key: Key, index: int = 0, word: int = 0) -> NDArray[np.float64]:
    """Return one standard normal per id, by its quantile."""
    from scipy.special import ndtri

    return ndtri(uniform(ids, week, stream, key, index, word))
