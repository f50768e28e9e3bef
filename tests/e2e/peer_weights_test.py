#!/usr/bin/env python3
"""ONNX files with quantized weights run in onnxruntime and give what they give here. Skips where it is not installed.

usage: peer_weights_test.py --convert=PROGRAM --run-model=PROGRAM --source=FOLDER [unittest arguments]

onnxruntime is found by bench/peers.py, whose binding needs numpy: the system's interpreter, or the one that
QLITE_PEER_PYTHON names, runs it.
"""
import array
import os
import random
import subprocess
import sys
import tempfile
import unittest

CONVERT = RUN_MODEL = SOURCE = None
PYTHON = os.environ.get("QLITE_PEER_PYTHON", "/usr/bin/python3")
MISSING = 77  # exit status of the peer: it is not there

PEER = """
import sys
sys.path.insert(0, sys.argv[1])
try:
    import numpy
    import peers
    ort = peers.onnxruntime()
except (ImportError, SystemExit) as missing:
    print(missing)
    sys.exit(77)
session = ort.Session(sys.argv[2])
shape = [d if isinstance(d, int) else 1 for d in session.inputs[0].shape]
x = numpy.fromfile(sys.argv[3], numpy.float32).reshape(shape)
session.run({session.inputs[0].name: x})[0].tofile(sys.argv[4])
print(session.inputs[0].name)
"""

CONFIG = """[common_quant_param]
quant_type=WEIGHT_QUANT
bit_num={bits}
min_quant_weight_channel=0
[weight_quant_param]
block_size={block}
"""


def floats(path):
    values = array.array("f")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    return values


class PeerWeightsTest(unittest.TestCase):

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="qlite_peer_")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        self.model = os.path.join(SOURCE, "examples/demo/model.onnx")
        self.input = self.path("input.bin")
        numbers = random.Random(1)
        with open(self.input, "wb") as file:
            array.array("f", [numbers.uniform(-1, 1) for _ in range(self.input_size())]).tofile(file)

    def path(self, name):
        return os.path.join(self.folder, name)

    def input_size(self):
        """Elements of the demo's one input."""
        return 3 * 48 * 48

    def run_program(self, *command):
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    def peer(self, model):
        """The results and the name of the input."""
        done = self.run_program(PYTHON, "-c", PEER, os.path.join(SOURCE, "bench"), model, self.input, self.path("theirs"))
        if done.returncode == MISSING:
            self.skipTest(done.stdout.strip())
        self.assertEqual(done.returncode, 0, done.stderr)
        return floats(self.path("theirs")), done.stdout.strip()

    def convert(self, bits, block):
        config, model = self.path("weights.cfg"), self.path(f"w{bits}_{block}.onnx")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(bits=bits, block=block))
        done = self.run_program(CONVERT, "--fmk=ONNX", f"--modelFile={self.model}", f"--outputFile={model}",
                                f"--configFile={config}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return model

    def test_every_form_of_weights(self):
        if not os.path.exists(PYTHON):
            self.skipTest(f"no {PYTHON} for the peer")
        original, _ = self.peer(self.model)
        for bits, block in [(8, 0), (4, 0), (16, 0), (8, 32), (4, 16), (3, 16)]:
            with self.subTest(bits=bits, block=block):
                model = self.convert(bits, block)
                theirs, name = self.peer(model)
                done = self.run_program(RUN_MODEL, model, self.folder, "--input", f"{name}={self.input}")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                ours = floats(self.path("0.bin"))
                self.assertEqual(len(ours), len(theirs))
                largest = max(abs(x) for x in theirs)
                error = max(abs(a - b) for a, b in zip(ours, theirs))
                self.assertLessEqual(error, 1e-5 * largest)
                loss = max(abs(a - b) for a, b in zip(original, theirs))
                self.assertGreater(loss, 0)
                self.assertLess(loss, largest)


if __name__ == "__main__":
    remaining = []
    for argument in sys.argv[1:]:
        key, _, value = argument.partition("=")
        if key == "--convert":
            CONVERT = value
        elif key == "--run-model":
            RUN_MODEL = value
        elif key == "--source":
            SOURCE = value
        else:
            remaining.append(argument)
    unittest.main(argv=[sys.argv[0]] + remaining, verbosity=2)
