#!/usr/bin/python3
"""Whole models beside onnxruntime, float and int8, in one run: medians and their ratios.

    bench/models.py --build build/release [--threads 1,2] [--seconds 2] [--json FILE] MODEL.onnx ...

Each model is quantized by qlite_convert over seeded random inputs (accuracy is not looked at), once to .qlite, once to
the ONNX file with uint8 activations that onnxruntime runs fastest. Then the four contenders take turns in short slices,
so that a noisy machine disturbs all alike; a slice gives a median, and the figure is the least of the slices' medians.
Needs Debian's python3-numpy and the peers (see peers.py).
"""
import argparse
import json
import math
import os
import tempfile
import time

import numpy as np

import peers
import programs


def concrete(shape):
    return [d if isinstance(d, int) else 1 for d in shape]


def make_feeds(session):
    """Seeded random inputs by name; unknown dimensions are 1."""
    rng = np.random.default_rng(1)
    return {i.name: (rng.random(concrete(i.shape), np.float32) * 2 - 1).astype(i.dtype) for i in session.inputs}


def shape_flag(feeds):
    """The flag that fixes the inputs' dimensions; a scalar has none."""
    return "--inputShape=" + ";".join(f"{n}:{','.join(map(str, v.shape))}" for n, v in feeds.items() if v.ndim)


def quantize(build, model, feeds, folder):
    """The paths of the quantized .qlite and .onnx files."""
    paths = []
    for name, value in feeds.items():
        place = os.path.join(folder, "calib_" + name.replace("/", "_"))
        os.makedirs(place, exist_ok=True)
        for i in range(2):
            value.tofile(os.path.join(place, f"{i}.bin"))
        paths.append(f"{name}:{place}")
    results = [os.path.join(folder, "int8." + kind) for kind in ("qlite", "onnx")]
    for result in results:
        programs.convert(build, model, result, programs.RAW_CONFIG.format(paths=",".join(paths)), shape_flag(feeds))
    return results


class Ours:
    """Slices of qlite_benchmark, each a process of its own."""

    def __init__(self, build, model, threads, feeds):
        self.command = [os.path.join(build, "examples/qlite_benchmark"), f"--modelFile={model}",
                        f"--numThreads={threads}", shape_flag(feeds), "--json"]
        self.estimate = self._run(1)["median_ms"]

    def first(self):
        """Milliseconds from the file to the first result."""
        figures = [self._run(1, warm_up=0) for _ in range(3)]
        return min(f["prepare_ms"] + f["median_ms"] for f in figures)

    def _run(self, loops, warm_up=3):
        done = programs.run(self.command + [f"--loopCount={loops}", f"--warmUpLoopCount={warm_up}"])
        return json.loads(done.stdout)

    def slice(self, seconds):
        return self._run(max(5, int(1000 * seconds / self.estimate)))["median_ms"]


class Theirs:
    """Slices of onnxruntime in this process."""

    def __init__(self, ort, model, threads, feeds):
        self.again = lambda: ort.Session(model, threads).run(feeds)
        self.session = ort.Session(model, threads)
        self.go = self.session.bind(feeds)
        for _ in range(3):
            self.session.discard(self.go())

    def first(self):
        """Milliseconds from the file to the first result."""
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            self.again()
            times.append(time.perf_counter() - begin)
        return 1000 * min(times)

    def slice(self, seconds):
        times, end = [], time.perf_counter() + seconds
        self.session.discard(self.go())
        while len(times) < 5 or time.perf_counter() < end:
            begin = time.perf_counter()
            result = self.go()
            times.append(time.perf_counter() - begin)
            self.session.discard(result)
        return 1000 * float(np.median(times))


def measure(ort, build, model, threads, seconds, quantized, feeds):
    """Milliseconds of the four contenders."""
    contenders = {"float": Ours(build, model, threads, feeds), "ort_float": Theirs(ort, model, threads, feeds),
                  "int8": Ours(build, quantized[0], threads, feeds),
                  "ort_int8": Theirs(ort, quantized[1], threads, feeds)}
    rounds = max(3, round(seconds / 0.4))
    figures = {name: one.slice(seconds / rounds) for name, one in contenders.items()}
    for _ in range(rounds - 1):
        for name, one in contenders.items():
            figures[name] = min(figures[name], one.slice(seconds / rounds))
    for name, one in contenders.items():
        figures[name.replace("ort_", "ort_first_") if "ort_" in name else "first_" + name] = one.first()
    return figures


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models", nargs="+")
    p.add_argument("--build", required=True, help="folder of the release build")
    p.add_argument("--threads", default="1,2")
    p.add_argument("--seconds", type=float, default=2.0, help="measured time for each contender")
    p.add_argument("--json", help="also write the figures here")
    args = p.parse_args()
    ort = peers.onnxruntime()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for model in args.models:
            feeds = make_feeds(ort.Session(model, 1))
            quantized = quantize(args.build, model, feeds, folder)
            for threads in map(int, args.threads.split(",")):
                row = {"model": os.path.splitext(os.path.basename(model))[0], "threads": threads,
                       **measure(ort, args.build, model, threads, args.seconds, quantized, feeds)}
                row["float_ratio"] = row["float"] / row["ort_float"]
                row["int8_ratio"] = row["int8"] / row["ort_int8"]
                row["int8_to_float"] = row["int8"] / row["float"]
                rows.append(row)
                print("{model:24} {threads} threads  float {float:8.3f} / {ort_float:8.3f} ms = {float_ratio:.2f}   "
                      "int8 {int8:8.3f} / {ort_int8:8.3f} ms = {int8_ratio:.2f}   int8/float {int8_to_float:.2f}   "
                      "first result, int8 {first_int8:.0f} / {ort_first_int8:.0f} ms".format(**row), flush=True)
    for threads in sorted({row["threads"] for row in rows}):
        of = [row for row in rows if row["threads"] == threads]
        print(f"geometric mean, {threads} threads: float {geometric_mean([r['float_ratio'] for r in of]):.2f}, "
              f"int8 {geometric_mean([r['int8_ratio'] for r in of]):.2f}")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump(rows, out, indent=1)


if __name__ == "__main__":
    main()
