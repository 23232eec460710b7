"""The loops of the week are vector code: looked for in the assembly that the compiler makes of them."""

from __future__ import annotations

import platform
import re

import llvmlite.binding as llvm
import pytest
from numba import njit, types

from movesim import draws
from movesim.behaviour import lasting, week
from movesim.behaviour.rules import Coefficients

F, I32, U32 = types.float32, types.int32, types.uint32
f, i8, i32 = (types.Array(t, 1, "C") for t in (types.float32, types.int8, types.int32))
u32, u64, i16 = (types.Array(t, 1, "C") for t in (types.uint32, types.uint64, types.int16))
numbers = types.NamedTuple([F] * len(Coefficients._fields), Coefficients)

# Loops over whole blocks, and over those who take part once they are brought together; gathers and scatters are not among them.
LOOPS = {
    "fill_words": (draws.fill_words, (u64, U32, U32, U32, U32, u32, u32, u32, u32), "vpmuludq"),
    "share of ties": (week._share_of_ties_active, (i8, i8, f, f), "vdivps"),
    "social": (week._social, (f, f, f, f, F, F, f), "vmulps"),
    "logs": (week._logs, (f,) * 6, "vfmadd"),
    "intention": (week._intention, (f, f, F, f), "vmulps"),
    "gate": (week._gate, (F, F, *(f,) * 6), "vfmadd"),
    "take part": (week._take_part, (f, f, F, F, f, i8, u32, f, i32), "vfmadd"),
    "sessions": (week._sessions, (*(F,) * 13, U32, u32, f), "vcmp"),
    "minutes": (week._minutes, (F, F, F, F, f, f, u32, f, f, f), "vfmadd"),
    "totals": (week._totals, (F, F, F, f, i8, f, f, f, f, f, f), "vdivps"),
    "four weeks": (week._four_weeks, (f,) * 6 + (i8, i8, f, i8), "vaddps"),
    "mastery": (week._mastery, (f, f), "vfmadd"),
    "learn": (week._learn, (numbers, *(f,) * 13), "vdivps"),
    "lasting normals": (lasting._normals, (u32, f), "vfmadd"),
    "lasting components": (lasting._component, (f,), "vfmadd"),
}
features = llvm.get_host_cpu_features().flatten()
wide = platform.machine() in ("x86_64", "AMD64") and "+avx2" in features and "+fma" in features


def assembly(function, signature) -> str:
    again = njit(nogil=True, error_model="numpy")(function.py_func)
    again.compile(signature)
    return next(iter(again.inspect_asm().values()))


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or not wide, reason="looks for instructions of x86-64 with AVX2"
)
@pytest.mark.parametrize("name", LOOPS)
def test_the_loop_is_vector_code(name: str) -> None:
    function, signature, instruction = LOOPS[name]
    code = assembly(function, signature)
    found = re.findall(rf"^\s+{instruction}\w*\s.*%ymm", code, re.MULTILINE)
    assert found, f"{name}: no {instruction} on eight lanes"
    # what numba adds for wrong indices and references stays outside the loops; a call inside one would end vectorisation
    assert not re.findall(r"call\w*\s+.*(expf?|logf?|powf?|fmaf?)@", code), f"{name} calls a library inside its loop"


def test_a_loop_that_gathers_is_told_apart() -> None:
    """The search can fail: telling minutes to their people is a scatter, which no vector instruction here does."""
    code = assembly(week._spread, (i32, f, f))
    assert not re.findall(r"^\s+v(addps|mulps|fmadd\w+)\s.*%ymm", code, re.MULTILINE)
