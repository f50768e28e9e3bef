#!/usr/bin/env python3
"""Weight quantization of a model with 1 GiB of float weights: time and memory of the converter, memory and latency of both
ways to decode.

    bench/large_weights.py --build build/release [--layers 16] [--width 4096] [--external] [--folder FOLDER]

The model is a chain of fully connected layers with random weights over one row of inputs, written here without numpy
and kept in FOLDER (a temporary one otherwise). It is converted as it is, to 8 bits, and to 4 bits in blocks of 32; each
file then runs as loaded (AT_LOAD) and decoded inside the products (ON_THE_FLY). Every program's peak memory is the one
that the system reports for its process, mapped files included. Ends with status 1 where a bound is not kept:
conversion: 1.3 times the model's size plus 200 MB, 20 s for 8 bits on two threads; execution on the fly: 0.35 (8 bits)
and 0.2 (4 bits) of the float weights, and a row faster than in float.
"""
import argparse
import json
import os
import random
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts"))
from protobuf_wire import block, number, varint  # pylint: disable=import-error,wrong-import-position

PIECE = 1 << 22  # bytes written at once: what this program holds counts for those that it starts
FLOAT = 1


def value_info(name, dims):
    shape = b"".join(block(1, number(1, d)) for d in dims)
    return block(1, name) + block(2, block(1, number(1, FLOAT) + block(2, shape)))


def random_floats(seed, size):
    """Pieces of `size` bytes of floats of both signs between 2^-9 and 2^-5."""
    generator = random.Random(seed)
    top = bytes((b & 0x80) | 0x3B + (b & 1) for b in range(256))
    while size > 0:
        piece = bytearray(generator.randbytes(min(PIECE, size)))
        piece[3::4] = piece[3::4].translate(top)
        yield piece
        size -= len(piece)


def write_model(path, layers, width, external):
    bytes_each = 4 * width * width
    parts = []  # bytes, or the seed of a layer's weights
    for i in range(layers):
        names = block(1, f"v{i}" if i else "x") + block(1, f"w{i}") + block(2, f"v{i + 1}" if i + 1 < layers else "y")
        parts.append(block(1, names + block(3, f"layer{i}") + block(4, "MatMul")))
    parts.append(block(2, "large"))
    for i in range(layers):
        head = number(1, width) + number(1, width) + number(2, FLOAT) + block(8, f"w{i}")
        if external:
            for key, value in (("location", os.path.basename(path) + ".data"), ("offset", i * bytes_each),
                               ("length", bytes_each)):
                head += block(13, block(1, key) + block(2, str(value)))
            parts.append(block(5, head + number(14, 1)))
            continue
        head += varint(9 << 3 | 2) + varint(bytes_each)
        parts += [varint(5 << 3 | 2) + varint(len(head) + bytes_each) + head, i]
    parts += [block(11, value_info("x", [1, width])), block(12, value_info("y", [1, width]))]
    graph_bytes = sum(bytes_each if isinstance(part, int) else len(part) for part in parts)
    with open(path, "wb") as out:
        out.write(number(1, 8) + block(8, block(1, "") + number(2, 17)) + varint(7 << 3 | 2) + varint(graph_bytes))
        for part in parts:
            for piece in random_floats(part, bytes_each) if isinstance(part, int) else [part]:
                out.write(piece)
    if not external:
        return os.path.getsize(path)
    with open(path + ".data", "wb") as out:
        for i in range(layers):
            for piece in random_floats(i, bytes_each):
                out.write(piece)
    return os.path.getsize(path) + os.path.getsize(path + ".data")


def run(command, log):
    """Seconds, those of all processors together, and peak bytes of a program; SystemExit with its output where it fails."""
    start = time.monotonic()
    with open(log, "wb") as out:
        pid = os.posix_spawn(command[0], command, os.environ,
                             file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, out.fileno(), 2)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        with open(log, encoding="utf-8", errors="replace") as text:
            raise SystemExit(f"{' '.join(command)}:\n{text.read()[-2000:]}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


CONFIG = """[common_quant_param]
quant_type=WEIGHT_QUANT
bit_num={bits}
[weight_quant_param]
dequant_strategy=ON_THE_FLY
bias_correction={correction}
block_size={block}
"""


class Bounds:
    def __init__(self):
        self.kept = True

    def check(self, what, value, bound):
        ok = value < bound
        self.kept = self.kept and ok
        print(f"  {'kept' if ok else 'NOT KEPT'}: {what} {value:.3f}, bound {bound:.3f}")


def convert(arguments, folder, model, model_bytes, name, bits, block_size, bounds):
    result = os.path.join(folder, name + ".qlite")
    command = [os.path.join(arguments.build, "examples/qlite_convert"), "--fmk=ONNX", f"--modelFile={model}",
               f"--outputFile={result}", f"--numThreads={arguments.threads}"]
    if bits:
        config = os.path.join(folder, name + ".cfg")
        with open(config, "w", encoding="utf-8") as out:
            out.write(CONFIG.format(bits=bits, block=block_size, correction="true" if block_size == 0 else "false"))
        command.append(f"--configFile={config}")
    seconds, busy, peak = run(command, os.path.join(folder, "log"))
    print(f"convert {name}: {seconds:.1f} s (of processors {busy:.1f} s), peak {peak / 1e6:.0f} MB, file {os.path.getsize(result) / 1e6:.1f} MB")
    if bits:
        bounds.check("peak in MB", peak / 1e6, (1.3 * model_bytes + 200e6) / 1e6)
    if bits == 8:
        bounds.check("seconds", seconds, 20)
    return result


def measure(arguments, folder, model, strategy, threads):
    result = os.path.join(folder, "result.json")
    _, _, peak = run([os.path.join(arguments.build, "examples/qlite_benchmark"), f"--modelFile={model}",
                   f"--numThreads={threads}", "--loopCount=20", f"--dequantStrategy={strategy}", f"--json={result}"],
                  os.path.join(folder, "log"))
    with open(result, encoding="utf-8") as text:
        found = json.load(text)
    print(f"  {os.path.basename(model)} {strategy} {threads} threads: weights {found['weights_bytes'] / 1e6:.1f} MB, "
          f"peak {peak / 1e6:.1f} MB, prepared in {found['prepare_ms'] / 1e3:.2f} s, "
          f"row {found['min_ms']:.2f} ms (median {found['median_ms']:.2f})")
    return found["min_ms"], peak


def measure_all(arguments, folder, files, float_bytes, bounds):
    rows = {threads: measure(arguments, folder, files["float"], "AT_LOAD", threads)[0]
            for threads in range(1, arguments.threads + 1)}
    for name, bound in (("bits8", 0.35), ("bits4", 0.2)):
        measure(arguments, folder, files[name], "AT_LOAD", arguments.threads)
        for threads, float_row in rows.items():
            row, peak = measure(arguments, folder, files[name], "ON_THE_FLY", threads)
            bounds.check("peak over the float weights", peak / float_bytes, bound)
            bounds.check("time of a row over float's", row / float_row, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--width", type=int, default=4096)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--external", action="store_true", help="weights in a file of their own")
    parser.add_argument("--folder", help="keeps the files there")
    arguments = parser.parse_args()
    bounds = Bounds()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or temporary
        os.makedirs(folder, exist_ok=True)
        model = os.path.join(folder, "large.onnx")
        size = write_model(model, arguments.layers, arguments.width, arguments.external)
        print(f"{model}: {size / 1e6:.1f} MB{' in two files' if arguments.external else ''}")
        files = {name: convert(arguments, folder, model, size, name, bits, block_size, bounds)
                 for name, bits, block_size in (("float", 0, 0), ("bits8", 8, 0), ("bits4", 4, 32))}
        measure_all(arguments, folder, files, 4 * arguments.layers * arguments.width**2, bounds)
    raise SystemExit(0 if bounds.kept else 1)


if __name__ == "__main__":
    main()
