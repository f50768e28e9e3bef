#!/usr/bin/python3
"""Runs every benchmark and writes docs/performance.md with its tables and plots.

    bench/performance.py --build build/release [--models DIR] [--data DIR] [--seconds 1] [--page docs/performance_NAME.md]

--build: a Release build with QLITE_BUILD_BENCH=ON. --models: a folder of further ONNX files (../shared/tools/
make_models.py writes resnet18, resnet50, inception_v3 there). --data: ../shared/data. Needs Debian's python3-numpy and
python3-matplotlib, libdnnl-dev at build time for the comparison with oneDNN, and the peers (bench/peers.py). Parts whose
needs are absent are left out, and the page says so. Run it on an idle machine. --page: another page than
docs/performance.md, for another processor; its plots go to the folder of that name, and the pages name each other.
"""
import argparse
import datetime
import glob
import json
import os
import re
import tempfile

import matplotlib
matplotlib.use("svg")
import matplotlib.pyplot as plt  # pylint: disable=wrong-import-position

import peers
import programs

TRAINED = ["mobilenet_v1_1.0_224/mobilenet_v1_1.0_224.onnx", "mobilenet_v2_1.0_224/mobilenet_v2_1.0_224.onnx",
           "squeezenet_v1.1/squeezenet_v1.1.onnx", "resnet20_cifar10/resnet20_cifar10.onnx",
           "resnet56_cifar10/resnet56_cifar10.onnx", "vit_cifar10/vit_cifar10.onnx", "ultraface_rfb_320/rfb_320.onnx"]

REPETITIONS = 9  # of a micro-benchmark
ROUNDS = 5  # of a calibration


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows] + [""]


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        text = info.read()
    name, family, model = (re.search(rf"{key}\s*: (.*)", text) for key in ("model name", "cpu family", "model"))
    if not name:
        return f"an unknown processor, {os.cpu_count()} of them"
    kind = f" (family {family.group(1)}, model {model.group(1)})" if family and model else ""
    return f"{name.group(1)}{kind}, {os.cpu_count()} processors"


def other_pages(page):
    """A line that leads to the pages of other processors."""
    names = sorted(os.path.basename(path) for path in glob.glob(os.path.join(os.path.dirname(page), "performance*.md")))
    links = [f"[{name[:-3]}]({name})" for name in names if name != os.path.basename(page)]
    return ["Other processors: " + ", ".join(links) + ".", ""] if links else []


def plot_bars(path, title, labels, series, line, line_label):
    """Groups of horizontal bars; series: name -> values."""
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.22 * len(labels) * len(series)))
    height = 0.8 / len(series)
    for i, (name, values) in enumerate(series.items()):
        axes.barh([row + i * height for row in range(len(labels))], values, height, label=name)
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(labels))], labels)
    axes.invert_yaxis()
    axes.axvline(line, color="black", linewidth=0.8, linestyle="--")
    axes.set_title(f"{title} (dashed: {line_label})", fontsize=10)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def kernels(args, images):
    """The micro-benchmarks of the best instruction set against the machine's own peaks."""
    program = os.path.join(args.build, "bench/bench_kernels")
    best = compiled(args)[-1]
    report = json.loads(programs.run([program, f"--benchmark_filter=^{best}/", "--benchmark_format=json",
                                   f"--benchmark_min_time={args.seconds / 4 / REPETITIONS}",
                                   f"--benchmark_repetitions={REPETITIONS}",
                                   "--benchmark_report_aggregates_only=true"]).stdout)
    rows, shares = [], {"float32": {}, "int8": {}}
    for run in (run for run in report["benchmarks"] if run["aggregate_name"] == "median"):
        _, kind, shape = run["run_name"].split("/")[:3]
        rate = run.get("OPS", run.get("FLOPS", 0)) / 1e9
        rows.append([shape, kind, f"{rate:.0f}", f"{100 * run['peak']:.0f} %", f"{100 * run['memory']:.0f} %"])
        shares.setdefault(kind, {})[shape] = 100 * run["peak"]
    labels = [shape for shape in shares["float32"] if shape in shares["int8"]]
    plot_bars(os.path.join(images, "kernels.svg"), "Share of the measured peak, %", labels,
              {kind: [shares[kind][shape] for shape in labels] for kind in ("float32", "int8")}, 92, "92 %")
    return ["## Kernels", "",
            f"`bench_kernels`, one thread, {best}, the median of {REPETITIONS} repetitions: with what neighbours take, where "
            "the tables beside oneDNN are of the best turn of each. Peak: a loop over registers with the best instruction; "
            "memory: the bytes that must move at least, at the measured bandwidth. Small depths of summation and the "
            "depthwise shapes are bound by memory or by loads, not by arithmetic. Speeds count the products of direct sums: "
            "float 3x3 layers can pass the peak by Winograd's method.", "",
            f"![kernels]({os.path.basename(images)}/kernels.svg)", "",
            *table(["shape", "type", "G/s", "of peak", "of memory bandwidth"], rows)]


def onednn(args):
    program = os.path.join(args.build, "bench/bench_onednn")
    if not os.path.exists(program):
        return ["oneDNN was not found when this was built: no comparison.", ""]
    lines = ["## Beside oneDNN", "",
             "`bench_onednn`, taking turns in one process; ratios above 1 are ours being faster. `peak%` is of a loop over "
             "registers, `tile%` of the float kernels' register tile with its operands in the first-level cache and nothing "
             "stored. Where the clock sinks with what a core draws, a float product that runs for milliseconds cannot hold "
             "much more of the former than the tile does.", ""]
    for threads in (1, 2):
        done = programs.run([program, f"--threads={threads}", f"--seconds={args.seconds / 4}"])
        lines += ["```", done.stdout.rstrip(), "```", ""]
    lines += ["The int8 products of lower instruction sets, against their own peaks (oneDNN takes what the machine has):", ""]
    for isa in [name for name in ("avx512vnni", "avxvnni", "avx2", "sse42", "neondot", "neon") if name in compiled(args)]:
        lines.append("```")
        for shapes in ("square", "im2col"):
            done = programs.run([program, f"--isa={isa}", "--type=int8", f"--filter={shapes}", f"--seconds={args.seconds / 4}"])
            lines += done.stdout.rstrip().split("\n")[0 if shapes == "square" else 2:]
        lines += ["```", ""]
    return lines


def compiled(args):
    """The instruction sets that the kernels have here, lowest first."""
    names = programs.run([os.path.join(args.build, "bench/bench_kernels"), "--benchmark_list_tests"]).stdout.split()
    return list(dict.fromkeys(name.split("/")[0] for name in names))


def models(args, images):
    files = [path for path in (os.path.join(args.data, "models", name) for name in TRAINED) if os.path.exists(path)]
    files += sorted(glob.glob(os.path.join(args.models, "*.onnx"))) if args.models else []
    try:
        peers.onnxruntime()
    except SystemExit as missing:
        return ["## Whole models", "", f"Left out: {missing}.", ""]
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "models.json")
        programs.run([os.path.join(programs.ROOT, "bench/models.py"), f"--build={args.build}", f"--json={report}",
                      f"--seconds={args.seconds}", *files])
        with open(report, encoding="utf-8") as file:
            rows = json.load(file)
    single = [row for row in rows if row["threads"] == 1]
    plot_bars(os.path.join(images, "models.svg"), "Time, ours over onnxruntime's, one thread",
              [row["model"] for row in single], {"float32": [row["float_ratio"] for row in single],
                                                 "int8": [row["int8_ratio"] for row in single]}, 1, "equal")
    cells = [[r["model"], r["threads"], f"{r['float']:.2f} / {r['ort_float']:.2f}", f"{r['float_ratio']:.2f}",
              f"{r['int8']:.2f} / {r['ort_int8']:.2f}", f"{r['int8_ratio']:.2f}", f"{r['int8_to_float']:.2f}"]
             for r in rows]
    loads = [[r["model"], f"{r['first_float']:.0f} / {r['ort_first_float']:.0f}",
              f"{r['first_int8']:.0f} / {r['ort_first_int8']:.0f}"] for r in single]
    return ["## Whole models", "",
            "`bench/models.py`: milliseconds, ours / onnxruntime's, batch 1; the int8 file of onnxruntime is the ONNX file "
            "that the converter writes, with uint8 activations.", "", f"![models]({os.path.basename(images)}/models.svg)", "",
            *table(["model", "threads", "float32 ms", "ratio", "int8 ms", "ratio", "int8 / float32"], cells),
            "From the file to the first result, milliseconds, one thread (int8: our `.qlite` file against the ONNX file):", "",
            *table(["model", "float32", "int8"], loads)]


def calibration(args):
    program = os.path.join(args.build, "bench/bench_calibration")
    if not os.path.isdir(os.path.join(args.data, "imagenet")):
        return ["## Calibration", "", f"{args.data} was not there: left out.", ""]
    lines = ["## Calibration", "",
             f"`bench_calibration`, 100 pictures, least of {ROUNDS} rounds. The bare work is decoding all of them, then "
             "running all float inferences; the float program makes its sessions, then decodes and runs picture by "
             "picture, as a calibration has to.", ""]
    models_to_calibrate = [os.path.join(args.data, "models", TRAINED[1])]
    if args.models and os.path.exists(os.path.join(args.models, "resnet50.onnx")):
        models_to_calibrate.append(os.path.join(args.models, "resnet50.onnx"))
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "calibration.cfg")
        with open(config, "w", encoding="utf-8") as out:
            out.write(programs.IMAGENET_CONFIG.format(data=args.data, size=100))
        for model in models_to_calibrate:
            lines += ["```", os.path.basename(model)]
            for threads in ("1", "2"):
                lines.append(programs.run([program, model, config, threads, str(ROUNDS), "MAX_MIN", "KL"]).stdout.rstrip())
            lines += ["```", ""]
    return lines


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", required=True)
    p.add_argument("--models")
    p.add_argument("--data", default=programs.DATA)
    p.add_argument("--seconds", type=float, default=1.0, help="measured time for each figure")
    p.add_argument("--page", default=os.path.join(programs.ROOT, "docs/performance.md"))
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    args.data = os.path.abspath(args.data)
    page = os.path.abspath(args.page)
    if not page.endswith(".md"):
        p.error(f"--page is a Markdown file, found {args.page}")
    images = page[:-3]
    os.makedirs(images, exist_ok=True)
    lines = ["# Performance", "",
             f"Written by `bench/performance.py` on {datetime.date.today()} on {machine()}. The machine is shared and noisy: "
             "believe ratios, not milliseconds.", ""] + other_pages(page)
    for part in (lambda: models(args, images), lambda: calibration(args), lambda: kernels(args, images),
                 lambda: onednn(args)):
        lines += part()
    with open(page, "w", encoding="utf-8") as out:
        out.write("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
