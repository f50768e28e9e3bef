#!/usr/bin/env python3
"""Makes reports with qlite_convert and looks at report.html: what it holds, and, where there is a browser, what it shows.

usage: report_test.py --convert=PROGRAM --demo=FOLDER [unittest arguments]
"""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

CONVERT = DEMO = None
TIME_LIMIT = 600
BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)

# A name of the model's and one of the same length that would end the script, were it read as markup.
NAME = b"block1/expand/conv"
EVIL = b"</script><img a>\"&"

# Uses the page as a reader does and leaves what happened in the title.
USE = """<script>
const rows = () => document.querySelectorAll("tr.layer").length;
const search = document.getElementById("search");
const all = rows();
search.value = "gemm";
search.dispatchEvent(new Event("input"));
const found = rows();
document.querySelector("tr.layer").click();
const charts = document.querySelectorAll(".histogram svg").length;
search.value = "";
search.dispatchEvent(new Event("input"));
const column = (i) => Array.from(document.querySelectorAll("tr.layer"), (row) => row.cells[i].textContent);
document.querySelectorAll("#layers th button")[0].click();
const names = column(0);
document.getElementById("theme").click();
document.title = JSON.stringify({all, found, charts, names, theme: document.documentElement.dataset.theme});
</script></body>"""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class ReportTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="qlite_report_")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def convert(self, *flags, quant_type="FULL_QUANT", samples=6, model=None, common=""):
        """Converts the demo; returns the page and what was printed."""
        out = tempfile.mkdtemp(dir=self.folder)
        config = os.path.join(out, "convert.cfg")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"[common_quant_param]\nquant_type={quant_type}\ndebug_info_save_path={out}\n{common}\n")
            if samples:
                file.write(f"[data_preprocess_param]\ncalibrate_path=input:{DEMO}/calib\ncalibrate_size={samples}\n"
                           "input_type=IMAGE\nimage_to_format=RGB\nnormalize_mean=[127.5,127.5,127.5]\n"
                           "normalize_std=[127.5,127.5,127.5]\nresize_width=48\nresize_height=48\n")
        result = subprocess.run(
            [CONVERT, "--fmk=ONNX", "--modelFile=" + (model or os.path.join(DEMO, "model.onnx")),
             "--outputFile=" + os.path.join(out, "model.qlite"), "--configFile=" + config, *flags],
            capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.files = sorted(os.listdir(out))
        return read(os.path.join(out, "report.html")), result.stdout

    def figures(self, page):
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
        return json.loads(data.group(1))

    def evil_model(self):
        path = os.path.join(self.folder, "evil.onnx")
        with open(os.path.join(DEMO, "model.onnx"), "rb") as file:
            model = file.read()
        self.assertIn(NAME, model)
        self.assertEqual(len(NAME), len(EVIL))
        with open(path, "wb") as file:
            file.write(model.replace(NAME, EVIL))
        return path

    def browse(self, page):
        path = os.path.join(self.folder, "page.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
        result = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
             "--user-data-dir=" + os.path.join(self.folder, "profile"), "--dump-dom", "file://" + path],
            capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
        self.assertNotIn("Uncaught", result.stderr)
        return result.stdout

    def test_one_file_without_a_network(self):
        page, _ = self.convert()
        self.assertIn("causes.csv", self.files)
        self.assertIn("round_5.csv", self.files)
        rest = page.replace("http://www.w3.org/2000/svg", "")  # the name of SVG, not a place
        for word in ("http:", "https:", "src=", "href=", "@import", "url("):
            self.assertNotIn(word, rest)
        self.assertEqual(page.count("</script"), 2)
        figures = self.figures(page)
        self.assertEqual(figures["samples"], 6)
        weights = [tensor for layer in figures["layers"] for tensor in layer["weights"]]
        self.assertTrue(any(tensor["bits"] == 8 for tensor in weights))
        self.assertTrue(all(len(tensor["float_counts"]) == 48 for tensor in weights))
        self.assertLess(sum(layer["after"] for layer in figures["layers"]),
                        0.5 * sum(layer["before"] for layer in figures["layers"]))
        floats = [layer for layer in figures["layers"] if not layer["integer"] and layer["node"]]
        self.assertTrue(all(layer.get("reason") for layer in floats))

    def test_same_bytes(self):
        first, _ = self.convert("--numThreads=1")
        self.assertEqual(first, self.convert("--numThreads=3")[0])
        timed, _ = self.convert(common="debug_info_times=true")
        self.assertTrue(any("float_ms" in layer for layer in self.figures(timed)["layers"]))
        self.assertNotIn("float_ms\":", first)

    def test_weight_quantization(self):
        for samples in (4, 0):
            page, said = self.convert(quant_type="WEIGHT_QUANT", samples=samples, common="bit_num=4")
            figures = self.figures(page)
            self.assertIn("random samples" if samples == 0 else "4 samples", said)
            bits = {tensor["bits"] for layer in figures["layers"] for tensor in layer["weights"]}
            self.assertEqual(bits, {4, 32})
            self.assertFalse(any(layer["integer"] for layer in figures["layers"]))

    def test_accuracy_flags(self):
        page, said = self.convert("--sensitivity=true", "--maxLoss=cosine:0.9999", "--autoFix=true")
        self.assertIn("sensitivity, each layer quantized alone", said)
        self.assertIn("within --maxLoss", said)
        self.assertGreater(len(self.figures(page)["sensitivity"]), 3)
        self.assertIn("sensitivity.csv", self.files)
        # What was changed, with the measured gain.
        applied = self.figures(page)["applied"]
        self.assertEqual(said.count("changed, since it helps"), len(applied))
        for remedy in applied:
            self.assertGreater(float(remedy["after"]), float(remedy["before"]))
            self.assertIn(remedy["change"] + ": +%.1f dB at the outputs" % (remedy["after"] - remedy["before"]), said)

    def test_names_are_no_markup(self):
        page, _ = self.convert(model=self.evil_model())
        self.assertEqual(page.count("</script"), 2)
        self.assertNotIn("<img", page)
        names = [layer["node"] for layer in self.figures(page)["layers"]]
        self.assertIn(EVIL.decode(), names)

    @unittest.skipUnless(BROWSER, "no chromium here to show the page in")
    def test_in_a_browser(self):
        page, _ = self.convert(model=self.evil_model())
        layers = self.figures(page)["layers"]
        shown = self.browse(page)
        self.assertEqual(shown.count('<tr class="layer"'), len(layers))
        self.assertIn(html.escape(EVIL.decode(), quote=False), shown)
        self.assertNotIn("<img", shown)
        self.assertIn('<div class="chart" id="error-chart"><svg', shown)
        used = self.browse(page.replace("</body>", USE))
        result = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", used).group(1)))
        self.assertEqual(result["all"], len(layers))
        self.assertGreater(result["found"], 0)
        self.assertLess(result["found"], len(layers))
        self.assertGreater(result["charts"], 1)
        self.assertEqual(result["names"], sorted(result["names"]))
        self.assertEqual(result["theme"], "light")


if __name__ == "__main__":
    arguments = []
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if name == "--convert":
            CONVERT = value
        elif name == "--demo":
            DEMO = value
        else:
            arguments.append(argument)
    if not CONVERT or not DEMO:
        sys.exit(__doc__)
    unittest.main(argv=[sys.argv[0], *arguments])
