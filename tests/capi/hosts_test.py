#!/usr/bin/env python3
"""The hosts in C and Python write the same bytes as the converter, on the demo and, where it is there, on mobilenet_v2; the
host's own observer and preprocessing step work; failures are told; the library exports qlite_* alone and can be unloaded.

    hosts_test.py --library libqlite.so.0 --convert qlite_convert --c-host c_host --source FOLDER [--self-contained]
                  [--no-python]
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ARGUMENTS = None

CONFIG = """[common_quant_param]
quant_type=FULL_QUANT
[full_quant_param]
activation_quant_method=MAX_MIN
[data_preprocess_param]
calibrate_path={input}:{folder}
calibrate_size={count}
input_type=IMAGE
image_to_format=RGB
normalize_mean=[127.5,127.5,127.5]
normalize_std=[127.5,127.5,127.5]
{shape}
"""


def run(*command, code=0):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Hosts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.out = pathlib.Path(self.folder.name)
        self.demo = ARGUMENTS.source / "examples/demo"

    def tearDown(self):
        self.folder.cleanup()

    def c_host(self, model, folder, output, *options, code=0):
        return run(ARGUMENTS.c_host, ARGUMENTS.library, model, folder, output, *options, code=code)

    def check_same(self, model, input_name, folder, count, settings, suffix):
        """Converts with the three programs; settings: {"resize": "48x48"} and the like."""
        shape = {"resize": "resize_width={0}\nresize_height={1}", "shorter": "resize_shorter_side={0}",
                 "crop": "center_crop_width={0}\ncenter_crop_height={1}"}
        config = self.out / "convert.cfg"
        config.write_text(CONFIG.format(
            input=input_name, folder=folder, count=count,
            shape="\n".join(shape[key].format(*value.split("x")) for key, value in settings.items())), encoding="utf-8")
        expected = self.out / ("convert" + suffix)
        run(ARGUMENTS.convert, "--fmk=ONNX", f"--modelFile={model}", f"--outputFile={expected}", f"--configFile={config}")
        options = {**settings, "count": count, "threads": 2}
        written = self.out / ("c" + suffix)
        self.c_host(model, folder, written, *[f"{key}={value}" for key, value in options.items()])
        self.assertEqual(written.read_bytes(), expected.read_bytes())
        if ARGUMENTS.python:
            written = self.out / ("python" + suffix)
            run(sys.executable, ARGUMENTS.source / "examples/python_host/qlite_host.py", ARGUMENTS.library, model, folder,
                written, *[part for key, value in options.items() for part in (f"--{key}", value)])
            self.assertEqual(written.read_bytes(), expected.read_bytes())

    def test_demo_gives_the_bytes_of_the_converter(self):
        for suffix in (".qlite", ".onnx"):
            self.check_same(self.demo / "model.onnx", "input", self.demo / "calib", 20, {"resize": "48x48"}, suffix)

    def test_mobilenet_gives_the_bytes_of_the_converter(self):
        data = pathlib.Path(os.environ.get("QLITE_TEST_DATA", ARGUMENTS.source / "../shared/data"))
        model = data / "models" / ARGUMENTS.mobilenet
        pictures = data / "imagenet/calib"
        if not model.is_file() or not pictures.is_dir():
            self.skipTest(f"no mobilenet_v2 with pictures under {data}")
        self.check_same(model, ARGUMENTS.mobilenet_input, pictures, 3, {"shorter": "256", "crop": "224x224"}, ".onnx")

    def test_observer_and_step_of_the_host(self):
        plain, own = self.out / "plain.qlite", self.out / "own.qlite"
        self.c_host(self.demo / "model.onnx", self.demo / "calib", plain, "resize=48x48", "count=20")
        again = [own, self.out / "again.qlite"]
        for path, threads in zip(again, (1, 3)):
            self.c_host(self.demo / "model.onnx", self.demo / "calib", path, "resize=48x48", "count=20",
                        "method=MEAN_EXTREMES", "step=CLAMP", f"threads={threads}")
        self.assertNotEqual(plain.read_bytes(), own.read_bytes())
        self.assertEqual(*[path.read_bytes() for path in again])

    def test_failures_are_told(self):
        missing = self.c_host(self.out / "no.onnx", self.demo / "calib", self.out / "x.qlite", code=1)
        self.assertIn("QLITE_NOT_FOUND", missing.stderr)
        self.assertIn(f"file: {self.out / 'no.onnx'}", missing.stderr)
        method = self.c_host(self.demo / "model.onnx", self.demo / "calib", self.out / "x.qlite", "resize=48x48",
                             "method=MEAN_EXTREME", code=1)
        self.assertIn("MEAN_EXTREMES", method.stderr)
        folder = self.c_host(self.demo / "model.onnx", self.demo / "nothing", self.out / "x.qlite", code=1)
        self.assertIn(str(self.demo / "nothing"), folder.stderr)
        self.assertFalse((self.out / "x.qlite").exists())

    def test_exports_are_the_functions_of_the_header(self):
        header = (ARGUMENTS.source / "capi/qlite.h").read_text(encoding="utf-8")
        declared = set(re.findall(r"^QLITE_API [^;(]*?\b(qlite_\w+)\(", header, re.MULTILINE))
        symbols = run("nm", "-D", "--defined-only", ARGUMENTS.library).stdout.split("\n")
        exported = {line.split()[2] for line in symbols if line}
        self.assertEqual(exported, declared)

    def test_self_contained_library_needs_the_runtimes_alone(self):
        if not ARGUMENTS.self_contained:
            self.skipTest("not the self-contained build")
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", ARGUMENTS.library).stdout)
        runtimes = ("libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6", "libpthread.so.0", "ld-linux")
        self.assertEqual([], [name for name in needed if not name.startswith(runtimes)])

    def test_two_copies_and_unloading(self):
        """Both copies work at once, beside whatever else the process has; closing them leaves no mapping and no thread."""
        if not ARGUMENTS.python:
            self.skipTest("Python cannot load a library built with a sanitizer")
        copy = self.out / "libother.so"
        copy.write_bytes(ARGUMENTS.library.read_bytes())
        script = f"""
import ctypes, _ctypes, os, threading
def threads(): return len(os.listdir('/proc/self/task'))
def mapped(path): return path in open('/proc/self/maps').read()
before = threads()
libraries = [ctypes.CDLL(path, mode=os.RTLD_LOCAL | os.RTLD_NOW) for path in {[str(ARGUMENTS.library), str(copy)]!r}]
for library in libraries:
    pool, graph, context = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    assert library.qlite_context_create(0, None, ctypes.byref(context), None) == 0
    assert library.qlite_thread_pool_create(4, ctypes.byref(pool)) == 0
    assert library.qlite_graph_load(context, {str(self.demo / 'model.onnx')!r}.encode(), -1, ctypes.byref(graph)) == 0
    assert library.qlite_graph_release(graph) == 0
    assert threads() > before
    assert library.qlite_thread_pool_release(pool) == 0
    assert library.qlite_context_release(context) == 0
assert threads() == before, threads()
for library, path in zip(libraries, {[str(ARGUMENTS.library.resolve()), str(copy)]!r}):
    assert mapped(path)
    _ctypes.dlclose(library._handle)
    assert not mapped(path), 'still mapped'
"""
        run(sys.executable, "-c", script)


    def test_memory_of_the_host(self):
        """The self-contained library takes all its memory from the host's allocator, and gives all of it back."""
        demo = (self.demo / "model.onnx", self.demo / "calib")
        lent = self.out / "lent.qlite"
        options = ("resize=48x48", "count=5", "threads=2")
        if not ARGUMENTS.self_contained:
            refused = self.c_host(*demo, lent, *options, "allocator=counting", code=1)
            self.assertIn("QLITE_UNIMPLEMENTED", refused.stderr)
            return
        done = self.c_host(*demo, lent, *options, "allocator=counting", "repeat=2")
        accounts = re.findall(r"memory: (\d+) allocations, (\d+) bytes at most, (\d+) blocks left", done.stdout)
        self.assertEqual(2, len(accounts))
        for allocations, most_bytes, left in accounts:
            self.assertGreater(int(allocations), 10000)
            self.assertGreater(int(most_bytes), 100000)
            self.assertEqual(0, int(left))
        own = self.out / "own.qlite"
        self.c_host(*demo, own, *options)
        self.assertEqual(lent.read_bytes(), own.read_bytes())

    def test_no_memory_comes_past_the_allocator(self):
        if not ARGUMENTS.self_contained:
            self.skipTest("not the self-contained build")
        undefined = run("nm", "-D", "--undefined-only", ARGUMENTS.library).stdout
        imported = set(re.findall(r" [Uw] (\w+)", undefined))
        makers = {"realloc", "reallocarray", "memalign", "posix_memalign", "valloc", "strdup", "strndup", "wcsdup", "asprintf",
                  "vasprintf", "getline", "getdelim", "open_memstream", "scandir", "get_current_dir_name"}
        self.assertEqual(set(), imported & makers)

    def test_unloading_leaves_nothing(self):
        """Opening, using and closing the library once more leaves no block more. (The C library keeps some for threads.)"""
        if not ARGUMENTS.self_contained:
            self.skipTest("shared libraries that are loaded along keep what they like")
        counter, report = self.out / "counting_malloc.so", self.out / "report"
        run("cc", "-O1", "-shared", "-fPIC", "-o", counter, ARGUMENTS.source / "tests/capi/failing_malloc.c")
        left = []
        for times in (2, 12):
            environment = {**os.environ, "LD_PRELOAD": str(counter), "FAILING_MALLOC_REPORT": str(report)}
            subprocess.run([ARGUMENTS.c_host, ARGUMENTS.library, self.demo / "model.onnx", self.demo / "calib",
                            self.out / "x.onnx", "resize=48x48", "count=2", "threads=3", f"repeat={times}"],
                           env=environment, check=True, stdout=subprocess.DEVNULL)
            left.append(int(report.read_text().split()[1]))
        self.assertLess(left[1] - left[0], 12 - 2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("library", "convert", "c-host", "source"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    parser.add_argument("--mobilenet", default="mobilenet_v2_1.0_224/mobilenet_v2_1.0_224.onnx")
    parser.add_argument("--mobilenet-input", default="input")
    parser.add_argument("--self-contained", action="store_true")
    parser.add_argument("--no-python", dest="python", action="store_false")
    ARGUMENTS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
