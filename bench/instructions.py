#!/usr/bin/python3
"""Instructions of one inference, counted by valgrind, against the recorded ones: a figure that no noise disturbs.

    bench/instructions.py --build build/release            compares; status 1 where a count grew by more than 2 %
    bench/instructions.py --build build/release --record   writes bench/instructions.json anew

Valgrind has no AVX-512, so the counts are those of the AVX2 kernels, on one thread. The models are the demonstration's,
and those of ../shared/data where they are there; each runs in float and as the converter's int8 file. Counts belong to
a compiler: compare with the one that the file names. Needs Debian's valgrind.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import programs

RECORD = os.path.join(programs.ROOT, "bench/instructions.json")
TOLERANCE = 0.02


def models():
    """(name, ONNX file, configuration file's text) of every model that is there."""
    demo = os.path.join(programs.ROOT, "examples/demo")
    with open(os.path.join(demo, "convert.cfg"), encoding="utf-8") as config:
        yield "demo", os.path.join(demo, "model.onnx"), config.read()
    for name in ("mobilenet_v2_1.0_224", "mobilenet_v1_1.0_224"):
        path = os.path.join(programs.DATA, "models", name, name + ".onnx")
        if os.path.exists(path):
            yield name, path, programs.IMAGENET_CONFIG.format(data=programs.DATA, size=8)
        else:
            print(f"{name}: skipped, {path} is not there")


def count(build, model):
    """Instructions of one inference: the difference between runs of one and of three."""
    totals = []
    for loops in (1, 3):
        text = programs.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                    os.path.join(build, "examples/qlite_benchmark"), f"--modelFile={model}", f"--loopCount={loops}",
                    "--warmUpLoopCount=0", "--numThreads=1"], env={**os.environ, "QLITE_ISA": "avx2"}).stderr
        totals.append(int(re.search(r"Collected : (\d+)", text).group(1)))
    return (totals[1] - totals[0]) // 2


def measure(build):
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, model, config in models():
            int8 = os.path.join(folder, name + ".qlite")
            programs.convert(build, model, int8, config, cwd=os.path.join(programs.ROOT, "examples/demo"))
            counts[name + " float"] = count(build, model)
            counts[name + " int8"] = count(build, int8)
    return counts


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", required=True, help="folder of the release build")
    p.add_argument("--record", action="store_true", help="write the counts down instead of comparing")
    args = p.parse_args()
    compiler = subprocess.run(["c++", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    counts = measure(os.path.abspath(args.build))
    if args.record:
        with open(RECORD, "w", encoding="utf-8") as out:
            json.dump({"compiler": compiler, "instructions": counts}, out, indent=1)
            out.write("\n")
        return 0
    with open(RECORD, encoding="utf-8") as file:
        record = json.load(file)
    if record["compiler"] != compiler:
        print(f"recorded with {record['compiler']}, this is {compiler}")
    grown = 0
    for name, now in counts.items():
        before = record["instructions"].get(name)
        change = now / before - 1 if before else 0
        grown += change > TOLERANCE
        verdict = "  GREW" if change > TOLERANCE else ""
        print(f"{name:32} {now:14,}  recorded {before or 0:14,}  {100 * change:+.2f} %{verdict}")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
