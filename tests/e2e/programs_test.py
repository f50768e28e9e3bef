#!/usr/bin/env python3
"""Runs qlite_convert and qlite_benchmark as a user does: results, messages, exit statuses, and what they leave behind.

usage: programs_test.py --convert=PROGRAM --benchmark=PROGRAM --demo=FOLDER [unittest arguments]
"""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

CONVERT = BENCHMARK = DEMO = None
FEW_KERNELS = False  # built with QLITE_FEW_KERNELS

PARAM_ERROR = -3 & 0xFF
NOT_SUPPORTED = -7 & 0xFF
INPUT_PARAM_INVALID = -600 & 0xFF  # 168
BENCHMARK_FAILED = 255
TIME_LIMIT = 600


def run(program, *flags, env=None):
    environment = dict(os.environ, **(env or {}))
    return subprocess.run([program, *flags], capture_output=True, text=True, env=environment, timeout=TIME_LIMIT,
                          check=False)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb" if isinstance(data, bytes) else "w") as file:
        file.write(data)
    return path


def instruction_sets():
    """Those of the machine, as its processor lists them."""
    flags = set()
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("flags"):
                flags.update(line.split())
                break
    names = ["generic"]
    if {"sse4_2", "popcnt"} <= flags:
        names.append("sse42")
    if {"avx2", "fma", "f16c"} <= flags:
        names.append("avx2")
        if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags:
            names.append("avx512")
        if "avx_vnni" in flags:
            names.append("avxvnni")
        if {"avx512", "avx512_vnni"} <= flags.union(names):
            names.append("avx512vnni")
            if {"amx_tile", "amx_int8"} <= flags:
                names.append("amxint8")
    return [name for name in names if not FEW_KERNELS or name in ("generic", "avx2")]


class ProgramTest(unittest.TestCase):
    """A folder for each test, and checks of what a program said."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="qlite_programs_")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        self.model = os.path.join(DEMO, "model.onnx")

    def path(self, name):
        return os.path.join(self.folder, name)

    def entries(self):
        return sorted(os.listdir(self.folder))

    def config(self, count=60, **changes):
        """A configuration of the demo: keys of any section by name, None leaves one out."""
        sections = {
            "common_quant_param": {"quant_type": "FULL_QUANT", "bit_num": "8"},
            "full_quant_param": {"activation_quant_method": "MAX_MIN"},
            "data_preprocess_param": {
                "calibrate_path": "input:" + os.path.join(DEMO, "calib"),
                "calibrate_size": str(count),
                "input_type": "IMAGE",
                "image_to_format": "RGB",
                "normalize_mean": "[127.5,127.5,127.5]",
                "normalize_std": "[127.5,127.5,127.5]",
                "resize_width": "48",
                "resize_height": "48",
                "resize_method": "LINEAR",
            },
        }
        text = ""
        for section, keys in sections.items():
            text += "[" + section + "]\n"
            for key, value in keys.items():
                value = changes.pop(key, value)
                if value is not None:
                    text += key + "=" + value + "\n"
        text += "".join(key + "=" + value + "\n" for key, value in changes.items())  # further keys of the last section
        # Beside the folder whose entries the tests count.
        handle, name = tempfile.mkstemp(suffix=".cfg")
        os.close(handle)
        self.addCleanup(os.unlink, name)
        return write(name, text)

    def convert(self, output, *flags, model=None, env=None):
        return run(CONVERT, "--fmk=ONNX", "--modelFile=" + (model or self.model), "--outputFile=" + self.path(output),
                   *flags, env=env)

    def succeed(self, result):
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result

    def check_converted(self, result):
        self.succeed(result)
        self.assertTrue(result.stdout.endswith("RESULT SUCCESS:0\n"), result.stdout)
        return result

    def check_refused(self, result, status, *words):
        """A failed conversion: its status, what its message names, and nothing left behind."""
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        self.assertNotIn("SUCCESS", result.stdout)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertRegex(result.stderr, r"(Flags Init|Convert) failed\. Ret: -\d+")
        self.assertEqual(self.entries(), [])


class ConverterRefusals(ProgramTest):
    def test_flags(self):
        self.check_refused(run(CONVERT), INPUT_PARAM_INVALID, "Flag missing.", "--modelFile=PATH")
        self.check_refused(self.convert("a", "--modelFile=b"), INPUT_PARAM_INVALID, "already parsed flag: modelFile")
        self.check_refused(self.convert("a", "--confgFile=b"), INPUT_PARAM_INVALID, "confgFile is not a valid flag",
                           "configFile")
        self.check_refused(self.convert("a", "model.onnx"), INPUT_PARAM_INVALID, "flag model.onnx is not valid.")
        self.check_refused(self.convert("a", "--bitNum=x"), INPUT_PARAM_INVALID, "Failed to parse value for: bitNum")
        self.check_refused(self.convert("a", "--trainModel=true"), INPUT_PARAM_INVALID, "trainModel",
                           "not supported yet")
        self.check_refused(run(CONVERT, "--fmk=CAFFE", "--modelFile=a", "--outputFile=b"), INPUT_PARAM_INVALID, "CAFFE")

    def test_help(self):
        result = self.succeed(run(CONVERT, "--help"))
        self.assertIn("--outputFormat", result.stdout)

    def test_files_that_are_not_there(self):
        self.check_refused(self.convert("a", model="/nowhere/model.onnx"), PARAM_ERROR, "/nowhere/model.onnx")
        self.check_refused(self.convert("a", "--configFile=/nowhere/a.cfg"), INPUT_PARAM_INVALID, "/nowhere/a.cfg")
        self.check_refused(self.convert("missing/a"), INPUT_PARAM_INVALID, "missing")
        self.check_refused(self.convert("a", model=DEMO), PARAM_ERROR, "not a regular file")
        self.check_refused(self.convert("."), INPUT_PARAM_INVALID, "folder")

    def test_damaged_models(self):
        whole = read(self.model)
        with tempfile.TemporaryDirectory() as folder:
            for name, data in (("empty.onnx", b""), ("cut.onnx", whole[: len(whole) // 2]),
                               ("cut_late.onnx", whole[:-3]), ("text.onnx", b"this is not a model" * 10),
                               ("zeros.onnx", bytes(1000)), ("ones.onnx", b"\xff" * 1000)):
                result = self.convert("a", model=write(os.path.join(folder, name), data))
                self.assertNotEqual(result.returncode, 0, name)
                self.check_refused(result, result.returncode, name)

    def test_models_of_other_frameworks(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, start, maker in (("a.tflite", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
                                       ("a.ms", b"\x20\0\0\0MSL2", "MindSpore Lite"),
                                       ("a.param", b"7767517\n3 3\n", "ncnn")):
                result = self.convert("a", model=write(os.path.join(folder, name), start + bytes(100)))
                self.check_refused(result, NOT_SUPPORTED, maker, name)

    def test_models_of_the_other_format(self):
        """--fmk counts: it names the format where neither content nor extension does, and must not contradict them."""
        with tempfile.TemporaryDirectory() as folder:
            named = write(os.path.join(folder, "model.weights"), read(self.model))
            self.check_refused(run(CONVERT, "--fmk=QLITE", "--modelFile=" + named, "--outputFile=" + self.path("a")),
                               PARAM_ERROR, named, ".qlite")
            ours = os.path.join(folder, "a.qlite")
            self.check_converted(run(CONVERT, "--fmk=ONNX", "--modelFile=" + named, "--outputFile=" + ours))
            self.check_refused(self.convert("a", model=ours), PARAM_ERROR, ours, "this is a qlite model, not onnx")

    def test_the_last_line_of_a_log_tells_the_end(self):
        """Both streams in one file, as logs keep them: what failed stands last, not before what went well."""
        flags = ["--fmk=ONNX", "--modelFile=" + self.model, "--outputFile=/proc/a.qlite"]
        for program, arguments, last in ((CONVERT, flags, "Convert failed. Ret: -3, Invalid parameter."),
                                         (BENCHMARK, ["--modelFile=/nowhere/a.onnx"],
                                          "Run Benchmark /nowhere/a.onnx Failed : -1")):
            done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=TIME_LIMIT, check=False)
            self.assertEqual(done.stdout.splitlines()[-1], last)

    def test_misspelt_configurations(self):
        def refused(text, *words):
            with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
                file.write(text)
                file.flush()
                self.check_refused(self.convert("a", "--configFile=" + file.name), INPUT_PARAM_INVALID, *words)

        refused("[common_quant_params]\nquant_type=FULL_QUANT\n", "unknown section", "'common_quant_param'")
        refused("[common_quant_param]\nquant_typ=FULL_QUANT\n", "`quant_typ` is not supported in [common_quant_param]",
                "'quant_type'")
        refused("[common_quant_param]\nquant_type=FULL\n", "quant_type must be WEIGHT_QUANT|FULL_QUANT|DYNAMIC_QUANT.")
        refused("[common_quant_param]\nquant_type FULL_QUANT\n", "split vector size != 2")
        refused("[common_quant_param]\nquant_type=FULL_QUANT\n", "calibrate path must pass")

    def test_calibration_data(self):
        def refused(*words, status=PARAM_ERROR, **changes):
            result = self.convert("a", "--configFile=" + self.config(**changes))
            self.check_refused(result, status, *words)

        with tempfile.TemporaryDirectory() as folder:
            refused(folder, calibrate_path="input:" + folder)
            refused("/nowhere/at/all", calibrate_path="input:/nowhere/at/all", status=PARAM_ERROR)
            refused("'inputs' is not an input", "'input'", calibrate_path="inputs:" + folder)
            write(os.path.join(folder, "a.jpg"), b"not a picture")
            refused("a.jpg", calibrate_path="input:" + folder, count=1)
            refused("a.jpg", calibrate_path="input:" + folder, count=1, input_type="BIN")
        refused("61", count=61)
        refused("000_disc.jpg", "500", center_crop_width="500", center_crop_height="500")

    def test_unknown_node_to_skip(self):
        config = self.config(count=2)
        text = read(config).decode().replace("bit_num=8\n", "bit_num=8\nskip_quant_node=no such node\n")
        self.check_refused(self.convert("a", "--configFile=" + write(config, text)), PARAM_ERROR, "no such node")

    def test_an_existing_output_stays(self):
        write(self.path("a.qlite"), b"old")
        result = self.convert("a.qlite", "--configFile=" + self.config(count=61))
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(read(self.path("a.qlite")), b"old")
        self.assertEqual(self.entries(), ["a.qlite"])


class Conversions(ProgramTest):
    def test_float(self):
        self.check_converted(self.convert("float"))
        self.assertEqual(self.entries(), ["float.qlite"])
        self.check_converted(self.convert("float.onnx", "--infer=true"))
        # Our own files convert again, and to the same bytes.
        again = run(CONVERT, "--fmk=QLITE", "--modelFile=" + self.path("float.qlite"),
                    "--outputFile=" + self.path("again.qlite"))
        self.check_converted(again)

    def test_demo_accuracy(self):
        self.check_converted(self.convert("int8.qlite", "--configFile=" + self.config()))
        self.check_converted(self.convert("int8.onnx", "--configFile=" + self.config()))
        self.assertEqual(self.entries(), ["int8.onnx", "int8.qlite"])
        self.assertLess(os.path.getsize(self.path("int8.qlite")), 0.4 * os.path.getsize(self.model))
        reports = {}
        for name in ("int8.qlite", "int8.onnx"):
            reports[name] = self.evaluate(self.path(name), "--compareModel=" + self.model)
        for report in reports.values():
            self.assertEqual(report["images"], 400)
            self.assertAlmostEqual(report["compare"]["top1"], 0.96, delta=0.005)
            self.assertGreater(report["top1"], report["compare"]["top1"] - 0.015)
            self.assertGreaterEqual(report["top5"], report["top1"])
            self.assertGreater(report["compare"]["cosine"], 0.98)
            low, high = report["compare"]["top1_difference_ci95"]
            self.assertLessEqual(low, report["compare"]["top1_difference"])
            self.assertLessEqual(report["compare"]["top1_difference"], high)
        self.assertEqual(reports["int8.qlite"]["top1"], reports["int8.onnx"]["top1"])

    def evaluate(self, model, *flags):
        result = run(BENCHMARK, "--modelFile=" + model, "--imagePath=" + os.path.join(DEMO, "eval"),
                     "--labelFile=" + os.path.join(DEMO, "eval", "labels.txt"), "--configFile=" + self.config(),
                     "--json", *flags)
        self.succeed(result)
        return json.loads(result.stdout)

    def test_every_method(self):
        for method in ("KL", "REMOVAL_OUTLIER"):
            config = self.config(count=20, activation_quant_method=method)
            self.check_converted(self.convert(method, "--configFile=" + config))

    def test_the_same_bytes_everywhere(self):
        for method, extension in (("MAX_MIN", "qlite"), ("KL", "onnx")):
            config = self.config(count=12, activation_quant_method=method)
            expected = None
            for threads in (1, 2, 3):
                name = "threads_%d.%s" % (threads, extension)
                self.check_converted(self.convert(name, "--configFile=" + config, "--numThreads=%d" % threads))
                expected = expected or read(self.path(name))
                self.assertEqual(read(self.path(name)), expected, name)
            for isa in instruction_sets():
                name = "%s.%s" % (isa, extension)
                self.check_converted(self.convert(name, "--configFile=" + config, env={"QLITE_ISA": isa}))
                self.assertEqual(read(self.path(name)), expected, name)

    def test_an_unknown_instruction_set(self):
        self.check_refused(self.convert("a", env={"QLITE_ISA": "mmx"}), PARAM_ERROR, "mmx", "generic")

    def test_older_flags_and_configuration(self):
        tensors = self.path("tensors")
        os.mkdir(tensors)
        count = 3 * 48 * 48
        for sample in range(4):
            values = [((i * 37 + sample * 101) % 255) / 127.5 - 1 for i in range(count)]
            write(os.path.join(tensors, "%d.bin" % sample), struct.pack("<%df" % count, *values))
        config = write(self.path("old.cfg"), "image_path=%s\nmethod_x=MAX_MIN\nthread_num=2\n" % tensors)
        self.check_converted(self.convert("old", "--quantType=PostTraining", "--bitNum=8", "--configFile=" + config))
        write(config, "image_path=%s\nbatch_count=5\n" % tensors)
        result = self.convert("more", "--quantType=PostTraining", "--configFile=" + config)
        self.assertEqual(result.returncode, PARAM_ERROR, result.stderr)
        write(os.path.join(tensors, "9.bin"), b"1234")
        write(config, "image_path=%s\n" % tensors)
        result = self.convert("sizes", "--quantType=PostTraining", "--configFile=" + config)
        self.assertEqual(result.returncode, PARAM_ERROR, result.stderr)
        self.assertIn("9.bin", result.stderr)
        self.assertIn(str(4 * count), result.stderr)
        self.assertFalse(os.path.exists(self.path("more.qlite")) or os.path.exists(self.path("sizes.qlite")))

    def test_calibration_is_resumed(self):
        with tempfile.TemporaryDirectory() as pictures:
            self.make_many_pictures(pictures, 3000)
            config = self.config(count=3000, activation_quant_method="KL", calibrate_path="input:" + pictures)
            flags = ["--configFile=" + config, "--numThreads=1"]
            self.check_converted(self.convert("whole.qlite", *flags))
            checkpoint = "--calibrationFile=" + self.path("table")
            wait = 0.5  # builds with sanitizers are slower: look for a time that hits the calibration
            for _ in range(12):
                outcome = self.interrupt(wait, "resumed.qlite", *flags, checkpoint)
                if outcome == "saved":
                    break
                wait *= 1.8 if outcome == "early" else 0.4
            else:
                self.skipTest("no interruption hit the calibration")
            self.assertEqual(self.entries(), ["table", "whole.qlite"])
            self.check_converted(self.convert("resumed.qlite", *flags, checkpoint))
            self.assertEqual(read(self.path("resumed.qlite")), read(self.path("whole.qlite")))
            # The finished table alone gives the same file again.
            self.check_converted(self.convert("again.qlite", *flags, checkpoint))
            self.assertEqual(read(self.path("again.qlite")), read(self.path("whole.qlite")))

    def test_an_interrupted_search_writes_its_best_and_fails(self):
        with tempfile.TemporaryDirectory() as pictures:
            self.make_many_pictures(pictures, 400)
            config = self.config(count=400, calibrate_path="input:" + pictures)
            output, wait = self.path("best.qlite"), 0.5
            for _ in range(12):
                process = subprocess.Popen([CONVERT, "--fmk=ONNX", "--modelFile=" + self.model,
                                            "--outputFile=" + output, "--configFile=" + config, "--numThreads=1",
                                            "--calibrationFile=" + self.path("table"), "--maxLoss=cosine:1"],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                time.sleep(wait)
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=TIME_LIMIT)
                if os.path.exists(output) and process.returncode != 0:
                    break
                wait *= 0.4 if process.returncode == 0 else 1.5
                for path in (output, self.path("table")):
                    if os.path.exists(path):
                        os.unlink(path)
            else:
                self.skipTest("no interruption hit the search")
            self.assertGreater(process.returncode, 0)
            self.assertIn("is the best result so far", errors)
            self.assertIn("Convert failed", errors)
            self.assertTrue(os.path.exists(self.path("table")))
            self.assertIn(b"not reached, interrupted", read(output))
            # The table takes the place of the calibration.
            self.check_converted(self.convert("plain.qlite", "--configFile=" + config,
                                              "--calibrationFile=" + self.path("table")))

    def test_weights_that_a_filter_keeps_are_told_with_its_key(self):
        config = write(self.path("weights.cfg"), "[common_quant_param]\nquant_type=WEIGHT_QUANT\nbit_num=8\n"
                       "min_quant_weight_channel=65535\n")
        result = self.convert("kept.qlite", "--configFile=" + config)
        self.check_converted(result)
        self.assertRegex(result.stdout, r"output channels are not more than min_weight_channels, 65535")
        self.assertRegex(result.stdout, r"[0-9]+ weights stay float by min_quant_weight_channel in \[common_quant_param\]")

    def make_many_pictures(self, folder, count):
        source = os.path.join(DEMO, "calib")
        names = sorted(os.listdir(source))
        for i in range(count):
            os.symlink(os.path.join(source, names[i % len(names)]), os.path.join(folder, "%05d.jpg" % i))

    def interrupt(self, seconds, output, *flags):
        """Stops a conversion after some time: "saved" with its calibration, or "early", or too "late"."""
        process = subprocess.Popen([CONVERT, "--fmk=ONNX", "--modelFile=" + self.model,
                                    "--outputFile=" + self.path(output), *flags],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TIME_LIMIT)
        if process.returncode > 0:
            self.assertIn("Convert failed", errors)
            self.assertFalse(os.path.exists(self.path(output)))
        if process.returncode > 0 and os.path.exists(self.path("table")):
            return "saved"
        for name in (output, "table"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        return "late" if process.returncode == 0 else "early"

    def test_a_calibration_file_of_an_impossible_name(self):
        result = self.convert("a", "--configFile=" + self.config(count=2), "--calibrationFile=" + "x" * 300)
        self.check_refused(result, result.returncode, "xxx")
        self.assertGreater(result.returncode, 0)

    def test_a_damaged_calibration_file(self):
        table = write(self.path("table"), b"this is no table")
        result = self.convert("a", "--configFile=" + self.config(count=2), "--calibrationFile=" + table)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("table", result.stderr)
        self.assertEqual(read(table), b"this is no table")
        self.assertEqual(self.entries(), ["table"])


class Benchmarks(ProgramTest):
    def benchmark(self, *flags, model=None):
        return run(BENCHMARK, "--modelFile=" + (model or self.model), *flags)

    def check_failed(self, result, *words):
        self.assertEqual(result.returncode, BENCHMARK_FAILED, result.stdout + result.stderr)
        self.assertRegex(result.stderr, r"Run Benchmark .*Failed : -1")
        for word in words:
            self.assertIn(word, result.stderr)

    def test_refusals(self):
        self.check_failed(run(BENCHMARK), "modelPath is required")
        self.check_failed(self.benchmark("--loopcount=1"), "loopcount is not a valid flag", "loopCount")
        self.check_failed(self.benchmark("--numThreads=0"), "numThreads:0 must be greater than 0")
        self.check_failed(self.benchmark("--device=GPU"), "Device type:GPU is not supported.")
        self.check_failed(self.benchmark(model="/nowhere/a.qlite"), "/nowhere/a.qlite")
        self.check_failed(self.benchmark("--inDataFile=/nowhere/a.bin"), "/nowhere/a.bin")
        self.check_failed(self.benchmark("--inputShape=nothing:1,3,48,48"), "nothing")
        self.check_failed(self.benchmark("--inputShape=input:1,5,48,48"))
        short = write(self.path("short.bin"), b"1234")
        self.check_failed(self.benchmark("--inDataFile=" + short), "required: 27648, in fact: 4")
        self.check_failed(self.benchmark("--benchmarkDataFile=/nowhere/golden"), "/nowhere/golden")
        self.check_failed(self.benchmark("--compareModel=/nowhere/b.onnx"), "/nowhere/b.onnx")

    def test_latency(self):
        result = self.succeed(self.benchmark("--loopCount=3", "--warmUpLoopCount=1", "--numThreads=1",
                                             "--timeProfiling"))
        places = [result.stdout.index(text) for text in
                  ("ModelPath = ", "LoopCount = 3", "cpuBindMode = ", "start unified benchmark run", "Resize Dims: 1 3 48 48",
                   "PrepareTime = ",
                   "Running warm up loops...", "Running benchmark loops...", "Model = model.onnx, NumThreads = 1, ",
                   "opName", "opType", "Run Benchmark ")]
        self.assertEqual(places, sorted(places))
        self.assertRegex(result.stdout,
                         r"MinRunTime = [\d.]+ ms, MaxRuntime = [\d.]+ ms, AvgRunTime = [\d.]+ ms")
        self.assertTrue(result.stdout.endswith(" Success.\n"))

    def test_weights_decoded_on_the_fly(self):
        config = write(self.path("weights.cfg"), "[common_quant_param]\nquant_type=WEIGHT_QUANT\nbit_num=4\n"
                       "[weight_quant_param]\ndequant_strategy=ON_THE_FLY\nblock_size=32\n")
        model = self.path("weights.qlite")
        self.check_converted(self.convert("weights", "--configFile=" + config))
        reports = {}
        for strategy in ("", "ON_THE_FLY", "AT_LOAD"):
            result = self.benchmark("--loopCount=1", "--dequantStrategy=" + strategy, "--compareModel=" + model, "--json",
                                    model=model)
            reports[strategy] = json.loads(self.succeed(result).stdout)
            self.assertIsNone(reports[strategy]["compare"]["snr_db"])  # equal outputs
        self.assertEqual(reports[""]["on_the_fly_bytes"], reports["ON_THE_FLY"]["on_the_fly_bytes"])
        self.assertGreater(reports[""]["on_the_fly_bytes"], 0)
        self.assertLess(reports[""]["weights_bytes"], reports["AT_LOAD"]["weights_bytes"])
        self.assertEqual(reports["AT_LOAD"]["on_the_fly_bytes"], 0)
        self.check_failed(self.benchmark("--dequantStrategy=LATER"), "dequantStrategy must be ON_THE_FLY|AT_LOAD")

    def test_json(self):
        result = self.succeed(self.benchmark("--loopCount=3", "--warmUpLoopCount=0", "--json"))
        report = json.loads(result.stdout)
        self.assertLessEqual(report["min_ms"], report["median_ms"])
        self.assertLessEqual(report["median_ms"], report["max_ms"])
        self.assertGreater(report["peak_memory_bytes"], 1 << 20)
        path = self.path("report.json")
        result = self.succeed(self.benchmark("--loopCount=1", "--json=" + path))
        self.assertIn("Run Benchmark", result.stdout)
        self.assertEqual(json.loads(read(path))["loops"], 1)
        # Told before the work, not after it.
        result = self.benchmark("--json=/nowhere/a.json")
        self.check_failed(result, "/nowhere/a.json: cannot be written: No such file")
        self.assertNotIn("start unified benchmark run", result.stdout)

    def test_golden(self):
        outputs = self.succeed(self.benchmark("--benchmarkDataFile=" + write(
            self.path("zeros"), "logits 2 1 10\n" + "0 " * 10 + "\n"), "--accuracyThreshold=1e9"))
        values = re.search(r"Data of node logits : (.*)", outputs.stdout).group(1).split()
        self.assertEqual(len(values), 10)
        golden = write(self.path("golden"), "logits 2 1 10\n" + " ".join(values) + "\n")
        same = self.succeed(self.benchmark("--benchmarkDataFile=" + golden, "--cosineDistanceThreshold=0.9999"))
        self.assertIn("Mean bias of all nodes/tensors: ", same.stdout)
        values[0] = str(float(values[0]) + 100)
        write(golden, "logits 2 1 10\n" + " ".join(values) + "\n")
        self.check_failed(self.benchmark("--benchmarkDataFile=" + golden), "is too big")
        self.check_failed(self.benchmark("--benchmarkDataFile=" + golden, "--accuracyThreshold=1e9",
                                         "--cosineDistanceThreshold=0.9999"), "is too small")
        write(golden, "scores 2 1 10\n" + " ".join(values) + "\n")
        self.check_failed(self.benchmark("--benchmarkDataFile=" + golden), "'logits'", "'scores'")
        write(golden, "logits 2 1 9\n" + " ".join(values[:9]) + "\n")
        self.check_failed(self.benchmark("--benchmarkDataFile=" + golden), "Shape of output 'logits'")

    def test_compare_with_itself(self):
        result = self.succeed(self.benchmark("--loopCount=1", "--compareModel=" + self.model, "--json"))
        compare = json.loads(result.stdout)["compare"]
        self.assertEqual(compare["max_error"], 0)
        self.assertIsNone(compare["snr_db"])
        self.assertEqual(compare["top1_agreement"], 1)

    def test_labels(self):
        def accuracy(lines, *flags):
            labels = write(self.path("labels"), lines)
            return run(BENCHMARK, "--modelFile=" + self.model, "--imagePath=" + os.path.join(DEMO, "eval"),
                       "--labelFile=" + labels, "--configFile=" + self.config(), *flags)

        first = sorted(n for n in os.listdir(os.path.join(DEMO, "eval")) if n.endswith(".jpg"))[:3]
        self.succeed(accuracy("\n".join(n + "\t%d\tname" % i for i, n in enumerate(first)) + "\n"))
        result = self.succeed(accuracy("".join(n + "\t0\n" for n in first), "--json", "--imageCount=2"))
        report = json.loads(result.stdout)
        self.assertEqual(report["images"], 2)
        self.check_failed(accuracy("".join(n + "\t10\n" for n in first)), "class 10 of 10", "labelOffset")
        self.check_failed(accuracy(first[0] + "\t0\n", "--labelOffset=10"), "class 10 of 10")
        self.check_failed(accuracy("missing.jpg\t0\n"), "missing.jpg")
        self.check_failed(accuracy(first[0] + " 0\n"), "labels:1")
        self.check_failed(accuracy(""), "labels")

    def test_results_do_not_depend_on_threads(self):
        reports = []
        for threads in (1, 3):
            result = run(BENCHMARK, "--modelFile=" + self.model, "--imagePath=" + os.path.join(DEMO, "eval"),
                         "--labelFile=" + os.path.join(DEMO, "eval", "labels.txt"), "--configFile=" + self.config(),
                         "--json", "--imageCount=40", "--compareModel=" + self.model, "--numThreads=%d" % threads)
            report = json.loads(self.succeed(result).stdout)
            reports.append({key: report[key] for key in ("top1", "top5", "images", "compare")})
        self.assertEqual(reports[0], reports[1])


def main():
    global CONVERT, BENCHMARK, DEMO, FEW_KERNELS
    rest = [sys.argv[0]]
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if name == "--convert":
            CONVERT = value
        elif name == "--benchmark":
            BENCHMARK = value
        elif name == "--demo":
            DEMO = os.path.abspath(value)
        elif name == "--few-kernels":
            FEW_KERNELS = True
        else:
            rest.append(argument)
    if None in (CONVERT, BENCHMARK, DEMO):
        sys.exit(__doc__)
    unittest.main(argv=rest, verbosity=2)


if __name__ == "__main__":
    main()
