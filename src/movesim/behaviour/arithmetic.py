"""Exponential, logarithm and normal quantile in single precision, written so that loops over them vectorise.

Stated relative errors (tests hold them): exp 3e-7, log 3e-7 (absolute 1e-7 near 1), normal quantile 2e-6 absolute within
four standard deviations. Whole numbers are cast to 32 bits after every step: Numba widens them to 64, which halves the
speed of a vector loop. No branches, no calls into libraries: each is a short polynomial.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import float32, int32, njit, types, uint32
from numba.extending import intrinsic

_F = np.float32


@intrinsic
def bits_of(typing_context, x):
    """Return the 32 bits of a float as an int32."""
    del typing_context, x
    return types.int32(types.float32), lambda c, b, s, a: b.bitcast(a[0], ir.IntType(32))


@intrinsic
def float_of(typing_context, x):
    """Return the float whose 32 bits are those of an int32."""
    del typing_context, x
    return types.float32(types.int32), lambda c, b, s, a: b.bitcast(a[0], ir.FloatType())


@intrinsic
def fma(typing_context, a, b, c):
    """Return a * b + c rounded once.

    Asked for by name, because a compiler left to fuse products and sums as it likes may do so in the body of a vector loop
    and not in its tail, and on one machine and not on the next.
    """
    del typing_context, a, b, c
    one = types.float32
    return types.float32(one, one, one), lambda context, builder, signature, args: builder.fma(*args)


@njit(inline="always")
def exp(x):
    """Return e**x for x clipped to [-87, 87]."""
    x = min(max(x, _F(-87.0)), _F(87.0))
    k = np.floor(fma(x, _F(1.44269504), _F(0.5)))
    f = fma(k, _F(2.12194440e-4), fma(k, _F(-0.693359375), x))
    p = fma(f, fma(f, fma(f, _F(1.0 / 720), _F(1.0 / 120)), _F(1.0 / 24)), _F(1.0 / 6))
    p = fma(f, fma(f, fma(f, p, _F(0.5)), _F(1.0)), _F(1.0))
    return p * float_of(int32(int32(int32(k) + int32(127)) << int32(23)))


@njit(inline="always")
def log(x):
    """Return the natural logarithm of a positive, normal float."""
    i = bits_of(x)
    # the exponent that leaves a mantissa between sqrt(1/2) and sqrt(2)
    e = int32(int32(i - int32(0x3F3504F3)) >> int32(23))
    m = float_of(int32(i - int32(e << int32(23))))
    t = (m - _F(1.0)) / (m + _F(1.0))
    s = t * t
    p = fma(s, fma(s, fma(s, fma(s, _F(2.0 / 9), _F(2.0 / 7)), _F(2.0 / 5)), _F(2.0 / 3)), _F(2.0))
    return fma(float32(e), _F(0.693147181), t * p)


@njit(inline="always")
def standard_normal(word):
    """Return the standard normal whose probability is (word + 0.5) / 2**32.

    The polynomials are those of Giles 2010, "Approximating the erfinv function", single precision.
    """
    centred = int32(word ^ uint32(0x80000000))
    from_middle = int32(centred ^ int32(centred >> int32(31)))  # on either side, counted from 0
    d = fma(float32(int32(int32(0x7FFFFFFF) - from_middle)), _F(2.0**-31), _F(2.0**-32))  # 1 - |x|, exact where it is small
    x = _F(1.0) - d
    x = -x if centred < int32(0) else x
    w = -log(d * (_F(2.0) - d))
    a = w - _F(2.5)
    p = fma(a, fma(a, _F(2.81022636e-08), _F(3.43273939e-07)), _F(-3.5233877e-06))
    p = fma(a, fma(a, fma(a, p, _F(-4.39150654e-06)), _F(0.00021858087)), _F(-0.00125372503))
    p = fma(a, fma(a, fma(a, p, _F(-0.00417768164)), _F(0.246640727)), _F(1.50140941))
    b = np.sqrt(w) - _F(3.0)
    q = fma(b, fma(b, _F(-0.000200214257), _F(0.000100950558)), _F(0.00134934322))
    q = fma(b, fma(b, fma(b, q, _F(-0.00367342844)), _F(0.00573950773)), _F(-0.0076224613))
    q = fma(b, fma(b, fma(b, q, _F(0.00943887047)), _F(1.00167406)), _F(2.83297682))
    return (p if w < _F(5.0) else q) * x * _F(1.41421356)
