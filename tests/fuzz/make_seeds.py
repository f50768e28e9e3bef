#!/usr/bin/env python3
"""Writes seed corpora of the fuzz harnesses: make_seeds.py FOLDER makes FOLDER/onnx/*.onnx and FOLDER/config/*.cfg.

The models are small ones that together touch every operator family, opset spelling and tensor encoding the ONNX reader knows. The
protobuf wire format is written by hand; nothing beyond the standard library is needed, and the bytes never change.
"""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from protobuf_wire import block, number, varint  # pylint: disable=import-error,wrong-import-position

FLOAT, UINT8, INT8, INT32, INT64, FLOAT16, DOUBLE = 1, 2, 3, 6, 7, 10, 11


def attribute(name, value):
    if isinstance(value, float):
        return block(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1)
    if isinstance(value, int):
        return block(1, name) + number(3, value) + number(20, 2)
    if isinstance(value, str):
        return block(1, name) + block(4, value) + number(20, 3)
    if isinstance(value, bytes):
        return block(1, name) + block(5, value) + number(20, 4)
    if value and isinstance(value[0], float):
        return block(1, name) + b"".join(varint(7 << 3 | 5) + struct.pack("<f", v) for v in value) + number(20, 6)
    return block(1, name) + b"".join(number(8, v) for v in value) + number(20, 7)


def node(op, inputs, outputs, **attributes):
    names = b"".join(block(1, i) for i in inputs) + b"".join(block(2, o) for o in outputs)
    return names + block(3, op + "_" + outputs[0]) + block(4, op) + b"".join(
        block(5, attribute(k, v)) for k, v in attributes.items())


def raw(name, kind, dims, data):
    return b"".join(number(1, d) for d in dims) + number(2, kind) + block(8, name) + block(9, data)


def floats(name, dims, values):
    return raw(name, FLOAT, dims, struct.pack(f"<{len(values)}f", *values))


def ints(name, values):
    return raw(name, INT64, [len(values)], struct.pack(f"<{len(values)}q", *values))


def typed(name, kind, dims, values):
    return b"".join(number(1, d) for d in dims) + number(2, kind) + block(
        5, b"".join(varint(v) for v in values)) + block(8, name)


def external(name, dims, location):
    entry = block(1, "location") + block(2, location)
    return b"".join(number(1, d) for d in dims) + number(2, FLOAT) + block(8, name) + block(13, entry) + number(14, 1)


def value_info(name, dims, kind=FLOAT):
    shape = b"".join(block(1, block(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return block(1, name) + block(2, block(1, number(1, kind) + block(2, shape)))


def model(opset, nodes, initializers=(), inputs=None, outputs=("y",)):
    inputs = inputs if inputs is not None else [value_info("x", ["N", 2, 4, 4])]
    graph = b"".join(block(1, n) for n in nodes) + block(2, "g") + b"".join(block(5, t) for t in initializers)
    graph += b"".join(block(11, i) for i in inputs) + b"".join(block(12, value_info(o, [])) for o in outputs)
    return number(1, 7) + block(7, graph) + block(8, block(1, "") + number(2, opset))


def qdq():
    scale, zero = floats("s", [], [0.5]), typed("z", UINT8, [], [128])
    weights = raw("w", INT8, [2, 2, 1, 1], bytes([1, 255, 3, 127]))
    return model(13, [
        node("QuantizeLinear", ["x", "s", "z"], ["xq"]), node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
        node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0), node("DequantizeLinear", ["b", "bs"], ["bd"], axis=0),
        node("Conv", ["xd", "wd", "bd"], ["c"]), node("Relu", ["c"], ["r"]),
        node("QuantizeLinear", ["r", "s", "z"], ["rq"]), node("MaxPool", ["rq"], ["mq"], kernel_shape=[2, 2]),
        node("DequantizeLinear", ["mq", "s", "z"], ["md"]), node("Add", ["md", "md"], ["a"]),
        node("QuantizeLinear", ["a", "s", "z"], ["aq"]), node("DequantizeLinear", ["aq", "s", "z"], ["y"])
    ], [scale, zero, weights, floats("ws", [2], [0.25, 0.5]), raw("wz", INT8, [2], bytes(2)),
        typed("b", INT32, [2], [5, -3]), floats("bs", [2], [0.125, 0.25])])


SEEDS = {
    "conv": model(13, [
        node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], kernel_shape=[3, 3], auto_pad="NOTSET"),
        node("BatchNormalization", ["c", "v", "v", "v", "v"], ["n"], epsilon=0.1), node("Clip", ["n", "", "six"], ["y"])
    ], [floats("w", [2, 2, 3, 3], [0.5] * 36), floats("v", [2], [1.0, 2.0]), floats("six", [], [6.0])]),
    "qdq": qdq(),
    "old": model(7, [
        node("Clip", ["x"], ["a"], min=0.0, max=6.0), node("Slice", ["a"], ["b"], starts=[0], ends=[2], axes=[2]),
        node("Pad", ["b"], ["c"], pads=[0, 0, 1, 0, 0, 0, 0, 1], value=1.0), node("Softmax", ["c"], ["d"], axis=1),
        node("Upsample", ["d"], ["e"], scales=[1.0, 1.0, 2.0, 2.0], mode="nearest"),
        node("Squeeze", ["e"], ["f"], axes=[0]), node("Unsqueeze", ["f"], ["y"], axes=[0])
    ], inputs=[value_info("x", [1, 2, 4, 4])]),
    "new": model(18, [
        node("Resize", ["x", "", "", "size"], ["a"], axes=[2, 3], mode="cubic"),
        node("Split", ["a"], ["b", "c"], axis=1, num_outputs=2), node("ReduceMean", ["b", "axes"], ["d"], keepdims=0),
        node("Shape", ["c"], ["e"], start=1), node("Cast", ["e"], ["f"], to=FLOAT), node("Flatten", ["c"], ["g"]),
        node("Gemm", ["g", "w"], ["h"], transB=1, alpha=0.5), node("Add", ["h", "d"], ["y"])
    ], [ints("size", [2, 3]), ints("axes", [2, 3]), floats("w", [1, 6], [1.0] * 6)],
        inputs=[value_info("x", [1, 2, 4, 4])], outputs=("y", "f")),
    "constants": model(13, [
        node("Constant", [], ["a"], value_float=1.5), node("Constant", [], ["b"], value=floats("", [1], [2.0])),
        node("Constant", [], ["s"], value_ints=[1, 2, 16]), node("Mul", ["x", "a"], ["c"]), node("Div", ["c", "b"], ["d"]),
        node("Sum", ["d", "h", "dd"], ["e"]), node("Reshape", ["e", "s"], ["y"])
    ], [raw("h", FLOAT16, [1], b"\x00\x3c"), raw("dd", DOUBLE, [1], struct.pack("<d", 3.0))],
        inputs=[value_info("x", [1, 2, 4, 4])]),
    "external": model(13, [node("Add", ["x", "w"], ["y"])], [external("w", [4], "../w.bin")]),
}


FULL = """# comment
[common_quant_param]
quant_type=FULL_QUANT
bit_num=8
skip_quant_node=a/b, c
min_quant_weight_size=0
enable_encode=true
[full_quant_param]
activation_quant_method=REMOVAL_OUTLIER
bias_correction=true
per_channel=False
target_device=CPU
[data_preprocess_param]
calibrate_path=in:0:/data,other:'/with, comma'
calibrate_size=100
input_type=IMAGE
image_to_format=RGB
normalize_mean=[123.5,116,103]
normalize_std=[58,57,57]
resize_shorter_side=256
resize_method=CUBIC
center_crop_width=224
center_crop_height=224
[transform_quant_param]
export_precision_mode=QUANT
[registry]
plugin_path="a;b"
"""

CONFIGURATIONS = {
    "full": FULL,
    "carriage_returns": FULL.replace("\n", "\r\n"),
    "misspelt": FULL.replace("normalize_mean", "normalise_mean"),
    "flat": "image_path=/a,/b\nbatch_count=10\nmethod_x=KL\nthread_num=2\nbias_correction=true\nmixed=false\n",
    "shape": "in:0:1,3,-1,224;other:7",
}


def main():
    folder = pathlib.Path(sys.argv[1]) / "onnx"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / (name + ".onnx")).write_bytes(data)
    folder = pathlib.Path(sys.argv[1]) / "config"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in CONFIGURATIONS.items():
        (folder / (name + ".cfg")).write_bytes(text.encode())


if __name__ == "__main__":
    main()
