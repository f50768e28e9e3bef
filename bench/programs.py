"""Running the programs of a build, and the configuration files that they take."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("QLITE_TEST_DATA", os.path.join(ROOT, "../shared/data"))

# Full quantization over {size} ImageNet pictures of {data}, prepared as the mobilenets were trained.
IMAGENET_CONFIG = """[common_quant_param]
quant_type=FULL_QUANT
[data_preprocess_param]
calibrate_path=input:{data}/imagenet/calib
calibrate_size={size}
input_type=IMAGE
image_to_format=RGB
normalize_mean=[127.5,127.5,127.5]
normalize_std=[127.5,127.5,127.5]
resize_shorter_side=256
center_crop_width=224
center_crop_height=224
"""

# Full quantization over raw tensors; {paths}: "input:folder,...".
RAW_CONFIG = """[common_quant_param]
quant_type=FULL_QUANT
[data_preprocess_param]
calibrate_path={paths}
calibrate_size=2
input_type=BIN
"""


def run(command, **options):
    """The finished process; SystemExit with what it printed last where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stdout[-800:]}{done.stderr[-800:]}")
    return done


def convert(build, model, result, config, *flags, cwd=None):
    """qlite_convert over an ONNX file; `config`: the text of its configuration, kept beside the result."""
    path = result + ".cfg"
    with open(path, "w", encoding="utf-8") as out:
        out.write(config)
    run([os.path.join(build, "examples/qlite_convert"), "--fmk=ONNX", f"--modelFile={model}", f"--outputFile={result}",
         f"--configFile={path}", *flags], cwd=cwd)
