#!/usr/bin/env python3
"""Fits the polynomials of src/kernels/simd_math.h and prints their coefficients and errors.

Needs numpy and mpmath. Each polynomial is the (nearly) minimax one for its interval under the given weight, found by
Lawson's iteration (reweighted least squares on Chebyshev nodes). Coefficients are rounded to float one after the other,
from the lowest, and the rest is fitted again each time, so that the rounding of the large ones is made good by the small.
"""

import mpmath
import numpy as np

mpmath.mp.dps = 50


def chebyshev_nodes(low, high, count=2000):
    angle = (np.arange(count) + 0.5) * np.pi / count
    return (low + high) / 2 + (high - low) / 2 * np.cos(angle)


def lawson(x, y, weight, powers):
    basis = np.stack([x**p for p in powers], axis=1)
    lawson_weight = np.ones_like(x) / len(x)
    best = None
    for _ in range(300):
        scale = weight * np.sqrt(lawson_weight)
        column = np.linalg.norm(basis * scale[:, None], axis=0)
        solution = np.linalg.lstsq(basis * scale[:, None] / column, y * scale, rcond=None)[0] / column
        error = np.abs(weight * (basis @ solution - y))
        if best is None or error.max() < best[0]:
            best = (error.max(), solution)
        if error.max() == 0:
            break
        lawson_weight = lawson_weight * error
        lawson_weight /= lawson_weight.sum()
    return best[1]


def fit(name, function, weight, low, high, degree):
    x = chebyshev_nodes(low, high)
    y = np.array([float(function(mpmath.mpf(v))) for v in x])
    w = np.array([float(weight(mpmath.mpf(v))) for v in x])
    done = []
    for power in range(degree + 1):
        rest = y - sum(c * x**p for p, c in enumerate(done)) if done else y
        done.append(float(np.float32(lawson(x, rest, w, list(range(power, degree + 1)))[0])))
    error = np.max(np.abs(w * (sum(c * x**p for p, c in enumerate(done)) - y)))
    print(f"{name}: error {error:.3g} = 2^{np.log2(error):.1f}")
    for power, c in enumerate(done):
        print(f"  c{power} = {float(c).hex()}f  // {np.float32(c)!s}")


def main():
    ln2 = mpmath.log(2)
    root = mpmath.sqrt(2)
    fit("exp(r) = 1 + r + r^2*P(r)", lambda r: (mpmath.exp(r) - 1 - r) / r**2, lambda r: r**2 / mpmath.exp(r),
        -float(ln2) / 2 * 1.01, float(ln2) / 2 * 1.01, 4)
    fit("expm1(r) = r + r^2*P(r)", lambda r: (mpmath.expm1(r) - r) / r**2, lambda r: r**2 / mpmath.expm1(r),
        -float(ln2) / 2 * 1.01, float(ln2) / 2 * 1.01, 5)
    fit("2^r = 1 + r*P(r)", lambda r: (mpmath.power(2, r) - 1) / r, lambda r: r, -0.505, 0.505, 5)
    fit("log(1+f) = f - f^2/2 + f^3*P(f)", lambda f: (mpmath.log1p(f) - f + f**2 / 2) / f**3,
        lambda f: f**3 / mpmath.log1p(f), float(1 / root - 1), float(root - 1), 8)
    fit("log((1+s)/(1-s)) = 2s + 2s*t*P(t), t = s^2",
        lambda t: (mpmath.atanh(mpmath.sqrt(t)) / mpmath.sqrt(t) - 1) / t, lambda t: t, 1e-12, 0.02945, 3)
    fit("erf(x) = x + x*P(t), t = x^2", lambda t: mpmath.erf(mpmath.sqrt(t)) / mpmath.sqrt(t) - 1,
        lambda t: mpmath.sqrt(t) / mpmath.erf(mpmath.sqrt(t)), 1e-12, 1.0, 7)
    fit("erf(x) = 1 - exp(P(x))", lambda x: mpmath.log(mpmath.erfc(x)), mpmath.erfc, 1.0, 4.0, 7)
    high = mpmath.floor(ln2 * 2**15) / 2**15
    print("ln2 high, low:", float(high).hex(), float(np.float32(float(ln2 - high))).hex())
    c = 2 / ln2
    c_high = float(np.float32(float(c)))
    print("2/ln2 high, low:", c_high.hex(), float(np.float32(float(c - mpmath.mpf(c_high)))).hex())
    print("1/ln2:", float(np.float32(float(1 / ln2))).hex())


if __name__ == "__main__":
    main()
