"""Chance has an address: published answers of the generator, and draws that nothing but their address can change."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from movesim import draws
from movesim.words import INTERVENTION_STREAMS, STREAMS

# Known answers published with the generator (Random123, kat_vectors, philox4x32 10 rounds): counter, key, words.
KNOWN = (
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
)
KEY = draws.key(7, 3)
IDS = np.random.default_rng(1).integers(0, 2**64, 5000, dtype=np.uint64)


def in_hex(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def plain_philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 in whole numbers, from the description in Salmon and others 2011."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_published_known_answers(counter: str, key: str, answer: str) -> None:
    c, k = [np.uint32(x) for x in in_hex(counter)], [np.uint32(x) for x in in_hex(key)]
    assert [int(w) for w in draws.philox(*c, *k)] == in_hex(answer)
    out = np.zeros((4, 1), np.uint32)
    ids = np.array([int(c[0]) | int(c[1]) << 32], np.uint64)
    draws.fill_words(ids, c[2], c[3], k[0], k[1], *out)
    assert out[:, 0].tolist() == in_hex(answer)
    assert plain_philox(in_hex(counter), in_hex(key)) == in_hex(answer)


@pytest.mark.parametrize("week", [-260, -1, 0, 1, 519, 2**31 - 1, -(2**31)])
def test_the_counter_is_person_week_stream_and_index(week: int) -> None:
    key = [int(k) for k in KEY]
    for index in (0, 1, 65535):
        got = draws.words(IDS[:20], week, "taste", KEY, index)
        for j, who in enumerate(int(i) for i in IDS[:20]):
            counter = [who & 0xFFFFFFFF, who >> 32, week + 2**31, (STREAMS["taste"] << 16) + index]
            assert got[:, j].tolist() == plain_philox(counter, key)


def test_weeks_before_the_start_are_weeks_of_their_own() -> None:
    seen = [draws.words(IDS[:100], week, "decide", KEY).tobytes() for week in range(-300, 300)]
    assert len(set(seen)) == 600


def test_the_key_is_the_start_of_blake2b_of_seed_and_replicate() -> None:
    digest = hashlib.blake2b(b"7:3").digest()
    assert tuple(int(k) for k in KEY) == (int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little"))
    keys = {draws.key(seed, replicate) for seed in range(30) for replicate in (*range(30), "references")}
    assert len(keys) == 30 * 31
    assert all(k.dtype == np.uint32 for k in KEY)


def test_slices_offsets_and_order_change_nothing() -> None:
    whole = draws.words(IDS, 5, "minutes", KEY)
    for start, stop in ((0, 1), (1, 5000), (7, 2055), (2047, 2049), (4999, 5000)):
        assert np.array_equal(draws.words(IDS[start:stop], 5, "minutes", KEY), whole[:, start:stop])
    assert np.array_equal(draws.words(IDS[::3], 5, "minutes", KEY), whole[:, ::3])
    order = np.random.default_rng(2).permutation(IDS.size)
    assert np.array_equal(draws.words(IDS[order], 5, "minutes", KEY), whole[:, order])
    assert np.array_equal(draws.words(int(IDS[9]), 5, "minutes", KEY)[:, 0], whole[:, 9])


def test_threads_change_nothing() -> None:
    alone = [draws.words(IDS, week, "decide", KEY) for week in range(24)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda week: draws.words(IDS, week, "decide", KEY), range(24)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_every_part_of_the_address_matters() -> None:
    first = draws.words(IDS, 5, "minutes", KEY)
    others = (
        draws.words(IDS, 6, "minutes", KEY), draws.words(IDS, 5, "sessions", KEY), draws.words(IDS, 5, "minutes", KEY, 1),
        draws.words(IDS, 5, "minutes", draws.key(7, 4)), draws.words(IDS, 5, "minutes", draws.key(8, 3)),
        draws.words(IDS + np.uint64(2**32), 5, "minutes", KEY), draws.words(IDS + np.uint64(1), 5, "minutes", KEY),
    )  # fmt: skip
    assert all(np.mean(first == other) < 0.001 for other in others)


def test_uniforms_lie_where_they_are_promised() -> None:
    ends = np.array([0, 255, 256, 2**32 - 1], np.uint32)
    assert draws.decision(ends).tolist() == [0.0, 0.0, 2.0**-24, 1 - 2.0**-24]
    assert draws.decision(ends).dtype == np.float32
    opened = draws.open_uniform(ends)
    assert opened[0] == 2.0**-33 and opened.min() > 0 and opened.max() < 1
    assert draws.words(IDS, 0, "decide", KEY).dtype == np.uint32


def test_draws_are_uniform_normal_and_unrelated() -> None:
    words = draws.open_uniform(np.concatenate([draws.words(IDS, week, "decide", KEY) for week in range(10)], axis=1))
    assert np.abs(words.mean(axis=1) - 0.5).max() < 0.005
    counts = np.histogram(words[0], bins=50, range=(0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 85  # 99.9% of a chi-squared with 49 degrees of freedom
    assert np.abs(np.corrcoef(words) - np.eye(4)).max() < 0.02
    z = np.concatenate([draws.normal(IDS, week, "taste", KEY, word=2) for week in range(10)])
    assert abs(z.mean()) < 0.015 and abs(z.std() - 1) < 0.015
    assert np.array_equal(draws.uniform(IDS, 3, "taste", KEY, word=2), draws.open_uniform(draws.words(IDS, 3, "taste", KEY)[2]))


def test_an_intervention_has_the_stream_of_its_name() -> None:
    assert draws.stream_of("daily_mile") == draws.stream_of("daily_mile")
    names = [f"programme {i}" for i in range(500)]
    streams = [draws.stream_of(name) for name in names]
    first, last = INTERVENTION_STREAMS
    assert all(first <= s < last for s in streams) and last * 2**16 <= 2**32
    assert len(set(streams)) > 490 and max(STREAMS.values()) < first
    assert np.array_equal(draws.words(IDS, 0, streams[0], KEY), draws.words(IDS, 0, draws.stream_of(names[0]), KEY))


def test_streams_have_numbers_of_their_own() -> None:
    assert len(set(STREAMS.values())) == len(STREAMS)


def test_identities_come_from_their_parts_alone() -> None:
    assert draws.hash_id("E01000001", 4) == draws.hash_id("E01000001", 4)
    assert draws.hash_id("E01000001", 4) != draws.hash_id("E010000014") != draws.hash_id(4, "E01000001")
