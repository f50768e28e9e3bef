#!/usr/bin/env python3
"""Lets allocations of a whole run of the C host fail, one at a time: each failure must come back as a status, without a
crash, and leave nothing allocated.

    out_of_memory_test.py --library libqlite.so.0 --c-host c_host --source FOLDER [--self-contained] [--every N]
                          [--threaded N]

The host runs on one thread, from the first allocation after the library was loaded to the end. At every N-th (1: at each)
it forks; in the child this allocation fails, see failing_malloc.c. --self-contained: the library takes its memory from the
host's allocator, which passes the failure on. --threaded N: after that N runs on two threads, each of which has one
allocation fail.
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
import typing

# What the C library says where it finds no memory for the thread-local data of a loaded library; it ends the process.
LOADERS_END = "cannot allocate memory for thread-local data"


class Trial(typing.NamedTuple):
    number: int  # of the allocation that failed
    status: int  # of the process; -1 and less: the signal that ended it
    living: int  # blocks at the end
    output: str


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("library", "c-host", "source"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    parser.add_argument("--self-contained", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--threaded", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at once")
    return parser.parse_args()


class Host:
    """Runs the C host with the failing allocator."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.allocator = folder / "failing_malloc.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", self.allocator,
                        arguments.source / "tests/capi/failing_malloc.c"], check=True)

    def run(self, name, *options, **environment):
        """(exit status, allocations, living blocks, output); files of the run have `name` in theirs."""
        demo, report = self.arguments.source / "examples/demo", self.folder / f"report_{name}"
        (self.folder / f"out_{name}").mkdir(exist_ok=True)
        lent = ["allocator=counting"] if self.arguments.self_contained else []
        done = subprocess.run(
            [self.arguments.c_host, self.arguments.library, demo / "model.onnx", demo / "calib",
             self.folder / f"out_{name}/model.onnx", "resize=48x48", "count=1", "method=MEAN_EXTREMES", "step=CLAMP", *lent,
             *options],
            env={**os.environ, "LD_PRELOAD": str(self.allocator), "FAILING_MALLOC_REPORT": str(report), **environment},
            capture_output=True, check=False)
        counts = report.read_text(encoding="utf-8").split() if report.exists() else (0, 0)
        return done.returncode, int(counts[0]), int(counts[1]), (done.stdout + done.stderr).decode(errors="replace")

    def sweep(self, name, first, step):
        """The trials of a run, and its own outcome."""
        results = self.folder / f"out_{name}.trials"
        outcome = self.run(name, FAILING_MALLOC_SWEEP=f"{first}:{step}:{self.folder / f'out_{name}'}")
        return list(read_trials(results.read_bytes() if results.exists() else b"")), outcome

    def written(self, name):
        """The files that a run has left: the model, and no temporary one."""
        return {path.name: path.read_bytes() for path in (self.folder / f"out_{name}").iterdir()}


def read_trials(results):
    at = 0
    while at < len(results):
        end = results.index(b"\n", at)
        number, status, living, size = map(int, results[at:end].split())
        at = end + 1 + size
        yield Trial(number, status, living, results[end + 1:at].decode(errors="replace"))


def problem_of(trial, baseline):
    """What is wrong with how a failure was met, or nothing."""
    if LOADERS_END in trial.output:
        return None
    if trial.status not in (0, 1, 2):
        return f"the process ended with {trial.status}"
    if trial.status == 1 and "QLITE_" not in trial.output:
        return "no status"
    if trial.status == 2:  # the host could not open the library
        return None
    if "left file: ." in trial.output:
        return "a temporary file was left"
    if trial.status == 0 and "blocks left" not in trial.output:
        # All work was done: the failure came while packaged libraries were closed, which keep what they like.
        return None
    account = re.search(r"(\d+) blocks left", trial.output)
    if account and account.group(1) != "0":
        return f"{account.group(1)} blocks of the host's allocator were left"
    # The C library keeps what it loads for the text of a system error, by its own malloc.
    if trial.living > baseline and os.strerror(errno.ENOMEM) not in trial.output:
        return f"{trial.living - baseline} blocks were left"
    return None


def tell(trials, total, baseline, how):
    problems = [(trial, problem) for trial in trials if (problem := problem_of(trial, baseline))]
    for trial, problem in problems[:20]:
        print(f"allocation {trial.number}: {problem}: {trial.output[-600:]}")
    told = sum(trial.status != 0 for trial in trials)
    loader = sum(LOADERS_END in trial.output for trial in trials)
    print(f"{how}: {len(trials)} of {total} allocations failed, {told} gave an error ({loader} of them the loader's own), "
          f"{len(problems)} problems")
    return not problems and told >= len(trials) // 2 and len(trials) > 0


def sweep_all(host, arguments):
    status, total, baseline, output = host.run("reference")
    if status != 0 or total < 1000:
        print("the run without a failure failed", status, total, output)
        return False
    # A failure of another kind touches thread-local data that success does not, for which the loader keeps a block.
    baseline = max(baseline, host.run("failed", "count=1000000")[2])
    loaded = host.run("loaded", "no such option")[1]  # loads the library, and that is all
    names = [f"sweep_{job}" for job in range(arguments.jobs)]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        done = list(pool.map(lambda name: host.sweep(name, loaded + 1 + names.index(name) * arguments.every,
                                                     arguments.every * arguments.jobs), names))
    trials = sorted(trial for found, _ in done for trial in found)
    fine = tell(trials, total, baseline, "one thread")
    for name, (_, outcome) in zip(names, done):
        if outcome[0] != 0 or host.written(name) != host.written("reference"):
            print("the run that was forked from did not end as it does alone:", outcome, list(host.written(name)))
            fine = False
    return fine


def fail_on_threads(host, arguments):
    _, total, baseline, _ = host.run("threads", "threads=2")
    baseline = max(baseline, host.run("threads_failed", "threads=2", "count=1000000")[2])
    loaded = host.run("loaded", "no such option")[1]
    step = max(1, (total - loaded) // arguments.threaded)

    def run(number):
        status, _, living, output = host.run("threads", "threads=2", FAILING_MALLOC=str(number))
        return Trial(number, status, living, output)

    return tell([run(number) for number in range(loaded + step // 2, total, step)], total, baseline, "two threads")


def main():
    arguments = parse()
    with tempfile.TemporaryDirectory() as name:
        host = Host(arguments, pathlib.Path(name))
        fine = sweep_all(host, arguments)
        if arguments.threaded:
            fine = fail_on_threads(host, arguments) and fine
        return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
