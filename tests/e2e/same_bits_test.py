"""Two builds for different processors make the same files and the same inferences, byte for byte.

The converter of each build quantizes the demo model, and each runs the float model and the quantized file; the other
build does so once for every processor and instruction set that is given. Its programs may run under an emulator.

    same_bits_test.py --reference=BUILD --other=BUILD [--emulator="COMMAND ..."] [CPU=ISA,ISA ...]

CPU is the value of QEMU_CPU, `host` for none.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile

DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "demo")
SAMPLES = 20


class Build:
    """The programs of a build folder and how they are started."""

    def __init__(self, folder, emulator, cpu, isa):
        self.folder = os.path.abspath(folder)
        self.emulator = emulator
        self.environment = dict(os.environ)
        self.environment.pop("QLITE_ISA", None)
        if isa:
            self.environment["QLITE_ISA"] = isa
        if cpu and cpu != "host":
            self.environment["QEMU_CPU"] = cpu

    def run(self, program, *arguments):
        subprocess.run([*self.emulator, os.path.join(self.folder, program), *arguments], env=self.environment, cwd=DEMO,
                       check=True, stdout=subprocess.DEVNULL)

    def results(self, folder):
        """The bytes of everything that this build makes, by name."""
        config = os.path.join(folder, "convert.cfg")
        with open(os.path.join(DEMO, "convert.cfg"), encoding="ascii") as file:
            text = file.read().replace("calibrate_size=60", "calibrate_size=%d" % SAMPLES)
        found = {}
        for method, name in (("MAX_MIN", "max_min.qlite"), ("KL", "kl.onnx")):
            with open(config, "w", encoding="ascii") as file:
                file.write(text.replace("method=MAX_MIN", "method=" + method))
            path = os.path.join(folder, name)
            self.run("examples/qlite_convert", "--fmk=ONNX", "--modelFile=model.onnx", "--outputFile=" + path,
                     "--configFile=" + config)
            found[name] = read(path)
        for name, path in (("float", "model.onnx"), ("int8", os.path.join(folder, "kl.onnx"))):
            self.run("tests/qlite_run_model", path, folder)
            found["output of " + name] = read(os.path.join(folder, "0.bin"))
        return found


def read(path):
    with open(path, "rb") as file:
        return file.read()


def results_in_fresh_folder(build):
    with tempfile.TemporaryDirectory(prefix="qlite_same_bits_") as folder:
        return build.results(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--other", required=True)
    parser.add_argument("--emulator", type=shlex.split, default=[])
    parser.add_argument("cpus", nargs="+", metavar="CPU=ISA,ISA")
    arguments = parser.parse_args()
    expected = results_in_fresh_folder(Build(arguments.reference, [], None, None))
    failed = False
    for cpu, isas in (entry.split("=") for entry in arguments.cpus):
        for isa in isas.split(","):
            found = results_in_fresh_folder(Build(arguments.other, arguments.emulator, cpu, isa))
            different = [name for name in expected if found[name] != expected[name]]
            print("%s, %s: %s" % (cpu, isa, "other bytes in " + ", ".join(different) if different else
                                  "the same %d files" % len(expected)))
            failed |= bool(different)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
