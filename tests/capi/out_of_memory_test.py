#!/usr/bin/env python3
"""Lets allocations of a whole run of the C host fail, one a run: each failure must come back as a status, without a crash, and
leave nothing allocated.

    out_of_memory_test.py --library libqlite.so.0 --c-host c_host --source FOLDER [--failing-malloc libfailing_malloc.so]
                          [--runs N]

The self-contained library takes its memory from the C host's allocator, which fails, from the first allocation after the
library was loaded. For another one --failing-malloc names the replacement of the C library's malloc to use. --runs 0
lets every single allocation fail (half an hour and more); otherwise N of them, spread over the run, the first hundred,
which make the context, among them.
"""
import argparse
import concurrent.futures
import errno
import os
import pathlib
import re
import subprocess
import sys
import tempfile


# What the C library says where it finds no memory for the thread-local data of a loaded library; it ends the process.
LOADERS_END = "cannot allocate memory for thread-local data"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("library", "c-host", "source"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    parser.add_argument("--failing-malloc", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="only this allocation, with its output")
    return parser.parse_args()


def command(arguments, folder, number, *options):
    demo = arguments.source / "examples/demo"
    return [arguments.c_host, arguments.library, demo / "model.onnx", demo / "calib", folder / f"out_{number}.onnx",
            "resize=48x48", "count=1", "method=MEAN_EXTREMES", "step=CLAMP", *options]


def run_with_malloc(arguments, folder, number, *options):
    report = folder / f"report_{number}"
    environment = {**os.environ, "LD_PRELOAD": str(arguments.failing_malloc), "FAILING_MALLOC": str(number),
                   "FAILING_MALLOC_REPORT": str(report)}
    done = subprocess.run(command(arguments, folder, number, *options), env=environment, capture_output=True, text=True,
                          check=False)
    allocations, living = map(int, report.read_text().split()) if report.exists() else (0, 0)
    return done.returncode, allocations, living, done.stdout + done.stderr


def run_with_allocator(arguments, folder, number, *options):
    done = subprocess.run(command(arguments, folder, number, f"fail={number}", *options), capture_output=True, text=True,
                          check=False)
    account = re.search(r"memory: (\d+) allocations, \d+ bytes at most, (\d+) blocks left", done.stdout)
    allocations, living = map(int, account.groups()) if account else (0, 0)
    return done.returncode, allocations, living, done.stdout + done.stderr


def run(arguments, folder, number, *options):
    """(exit status, allocations, living blocks, output) of a run whose allocation `number` fails; 0: none does."""
    way = run_with_malloc if arguments.failing_malloc else run_with_allocator
    result = way(arguments, folder, number, *options)
    (folder / f"out_{number}.onnx").unlink(missing_ok=True)  # thousands of them fill a disk
    return result


def chosen(loaded, total, runs):
    if runs == 0 or runs >= total - loaded:
        return list(range(loaded + 1, total + 1))
    first = loaded + min(100, runs // 2)
    spread = runs - (first - loaded)
    return list(range(loaded + 1, first + 1)) + [first + 1 + i * (total - first) // spread for i in range(spread)]


def main():
    arguments = parse()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if arguments.first:
            print(*run(arguments, folder, arguments.first), sep="\n")
            return 0
        status, total, baseline, output = run(arguments, folder, 0)
        if status != 0 or total < 1000:
            print("the run without a failure failed", status, total, output)
            return 1
        # A failure of another kind touches thread-local data that success does not, for which the loader keeps a block.
        _, _, failed, _ = run(arguments, folder, 0, "count=1000000")
        baseline = max(baseline, failed)
        _, loaded, _, _ = run(arguments, folder, 0, "no such option")  # loads the library, and that is all
        problems, told = [], 0
        numbers = chosen(loaded, total, arguments.runs)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, result in zip(numbers, pool.map(lambda n: run(arguments, folder, n), numbers)):
                code, _, living, output = result
                told += code != 0
                if LOADERS_END in output:
                    continue
                if code not in (0, 1, 2):
                    problems.append(f"allocation {number}: the process ended with {code}: {output[-300:]}")
                elif code == 1 and "QLITE_" not in output:
                    problems.append(f"allocation {number}: no status: {output[-300:]}")
                # The C library keeps what it loads for the text of a system error, by its own malloc.
                elif code in (0, 1) and living > baseline and not (arguments.failing_malloc and
                                                                   os.strerror(errno.ENOMEM) in output):
                    problems.append(f"allocation {number}: {living - baseline} blocks were left: {output[-300:]}")
        print("\n".join(problems[:20]))
        print(f"{len(numbers)} of {total} allocations failed, {told} runs gave an error, {len(problems)} problems")
        return 1 if problems or told < len(numbers) // 2 else 0


if __name__ == "__main__":
    sys.exit(main())
