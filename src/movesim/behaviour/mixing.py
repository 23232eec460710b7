"""Doses of several programmes added up for the people who hold them: compiled, so that it costs by whom it touches."""

from __future__ import annotations

import numpy as np
from numba import float32, uint64

from movesim.draws import compiled

PERSONAL, GRADED, LOCAL = 0, 1, 2  # a person's own dose; the same times what their place makes of it; their place's dose


@compiled
def counts_less(q, count, who, size, overlap):
    """Tell whether a held dose is not the largest of those it shares a function with (equal ones: the first is)."""
    less = False
    for r in range(count):
        larger = size[r] > size[q] or (size[r] == size[q] and r < q)
        less = less or (larger and overlap[who[q], who[r]])
    return less


@compiled
def add_doses(rows, kind, line, doses, gain, home, strength, overlap, same, first, column, shift, out):
    """Write what all programmes together shift for these rows to `out` (columns, rows).

    Programme p has the dose doses[line[p], row] (PERSONAL), that times gain[p, home[row]] (GRADED), or gain[p, home[row]]
    (LOCAL), and moves column[c] by shift[c] at a dose of 1, c from first[p] to first[p + 1]. Of programmes that overlap (p, p)
    the one with the largest dose times strength counts whole, each further one times `same`.
    """
    programmes = kind.size
    who, level, size = np.empty(programmes, np.int64), np.empty(programmes, np.float32), np.empty(programmes, np.float32)
    for i in range(rows.size):
        j = uint64(rows[i])
        here = uint64(home[j])
        for c in range(out.shape[0]):
            out[c, i] = float32(0.0)
        count = 0
        for p in range(programmes):
            x = gain[p, here] if kind[p] == LOCAL else doses[line[p], j]
            if x != float32(0.0):
                if kind[p] == GRADED:
                    x = x * gain[p, here]
                who[count], level[count], size[count] = p, x, abs(x) * strength[p]
                count += 1
        for q in range(count):
            x = level[q]
            if count > 1 and counts_less(q, count, who, size, overlap):
                x = x * same
            for c in range(first[who[q]], first[who[q] + 1]):
                out[column[c], i] += x * shift[c]


@compiled
def weigh_doses(level, strength, overlap, same, out):
    """Write 1 or `same` for each programme and place (programmes, places): what is left of doses that share a function."""
    programmes = level.shape[0]
    who, size = np.empty(programmes, np.int64), np.empty(programmes, np.float64)
    for j in range(level.shape[1]):
        count = 0
        for p in range(programmes):
            out[p, j] = 1.0
            if level[p, j] != 0.0:
                who[count], size[count] = p, abs(level[p, j]) * strength[p]
                count += 1
        for q in range(count):
            if count > 1 and counts_less(q, count, who, size, overlap):
                out[who[q], j] = same


@compiled
def put_rows(rows, values, lines, table, changed):
    """Write values (lines, rows) to these lines and rows of a table; list rows where any of them is new; return how many."""
    count = uint64(0)
    for i in range(rows.size):
        j = uint64(rows[i])
        new = False
        for k in range(lines.size):
            d = lines[k]
            new = new or table[d, j] != values[k, i]
            table[d, j] = values[k, i]
        changed[count] = rows[i]
        count += uint64(new)
    return count
