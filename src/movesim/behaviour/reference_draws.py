"""A week's draws as the reference model takes them, one at a time: which word of which stream, and what is made of it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from movesim import draws
from movesim.words import ADULT_DOMAINS, DOMAIN

MOST_SESSIONS = 14
PLAY = DOMAIN["play"]


def address(draw: str, d: int) -> tuple[str, int]:
    """Return the stream and the word (0 to 3, index 0) of a domain's draw: decide, minutes or sessions."""
    if draw == "sessions":
        return "sessions", d // 2  # two domains share a word: the even one has its lower half
    if d < ADULT_DOMAINS:
        return draw, d
    return "child", d - PLAY + (2 if draw == "minutes" else 0)


class Chance:
    """One week's draws of everybody: each a function of seed, person, week and stream."""

    def __init__(self, ids: NDArray[np.uint64], week: int, key: draws.Key) -> None:
        self.words = {stream: draws.words(ids, week, stream, key) for stream in ("decide", "minutes", "sessions", "child")}

    def word(self, draw: str, place: int, d: int) -> int:
        """Return the 32 bits of a person's draw."""
        stream, word = address(draw, d)
        return int(self.words[stream][word, place])

    def decision(self, place: int, d: int) -> float:
        """Return the uniform in [0, 1) of 24 bits that a probability is compared with."""
        return (self.word("decide", place, d) >> 8) * 2.0**-24

    def normal(self, place: int, d: int) -> float:
        """Return the standard normal of this week's minutes."""
        return float(ndtri((self.word("minutes", place, d) + 0.5) * 2.0**-32))

    def sessions(self, place: int, d: int) -> float:
        """Return the uniform of 16 bits that tells the number of sessions: two domains share a word."""
        word = self.word("sessions", place, d)
        return ((word & 0xFFFF if d % 2 == 0 else word >> 16) + 0.5) * 2.0**-16


def poisson_steps(mean: float) -> list[float]:
    """Return P(N <= k) of a Poisson variable for k = 0 to 12: at most 14 sessions."""
    terms = [math.exp(-mean) * mean**k / math.factorial(k) for k in range(MOST_SESSIONS - 1)]
    return [sum(terms[: k + 1]) for k in range(len(terms))]
