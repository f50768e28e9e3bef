#!/usr/bin/python3
"""Makes the example data next to this script: a small picture classifier and the pictures to calibrate and test it.

  ./make_demo.py                    # some eight minutes on one core; replaces model.onnx, calib/, eval/, classes.txt
  ./make_demo.py --pictures-only    # draws calib/ and eval/ again and leaves the model alone
  ./make_demo.py --out DIR          # writes to another folder

Ten kinds of flat figure are drawn on busy grounds: any position, size, rotation, shear and colour, partly hidden,
blurred and noisy. A residual network with depthwise convolutions learns them from pictures that are drawn for the
purpose and never stored; the training, calibration and test pictures come from three separate random streams. The
network is written as ONNX (opset 13) as a training framework leaves it: BatchNormalization is not folded.

Needs Debian's python3-numpy python3-pil python3-torch python3-onnx. The same versions of these on the same kind of
processor repeat the files; elsewhere the pictures differ by at most a rounding and the model by its training.
"""
import argparse
import io
import os
import shutil
import time

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 48
OVERSAMPLE = 4  # figures are drawn this many times larger, then averaged down: smooth edges
JPEG_QUALITY = 85
CLASSES = ["disc", "ring", "square", "triangle", "hexagon", "star", "cross", "crescent", "arrow", "heart"]
CALIBRATION_PICTURES = 60
TEST_PICTURES = 400
TRAINING_PICTURES = 30000
TRAINING_STREAM, CALIBRATION_STREAM, TEST_STREAM = 1, 2, 3


# ---------------------------------------------------------------------------------------------------------------------
# Pictures


def regular(corners, radius=1.0, start=0.0):
    angles = start + 2 * np.pi * np.arange(corners) / corners
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def star(rng):
    points = regular(10, 1.0)
    points[1::2] *= rng.uniform(0.4, 0.62)
    return points


def cross(rng):
    w = rng.uniform(0.22, 0.4)
    return np.array([(-w, -1), (w, -1), (w, -w), (1, -w), (1, w), (w, w), (w, 1), (-w, 1), (-w, w), (-1, w), (-1, -w),
                     (-w, -w)])


def arrow(rng):
    shaft, head = rng.uniform(0.2, 0.35), rng.uniform(-0.2, 0.25)
    return np.array([(-1, -shaft), (head, -shaft), (head, -0.8), (1, 0), (head, 0.8), (head, shaft), (-1, shaft)])


def heart(_):
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    x = 16 * np.sin(t)**3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, y + 2], axis=1) / 16


def outline(name, rng):
    """The polygon of a figure within the unit circle, and the polygon cut out of it (or None)."""
    if name == "disc":
        return regular(48), None
    if name == "ring":
        return regular(48), regular(48, rng.uniform(0.35, 0.65))
    if name == "square":
        return regular(4), None
    if name == "triangle":
        return regular(3), None
    if name == "hexagon":
        return regular(6), None
    if name == "star":
        return star(rng), None
    if name == "cross":
        return cross(rng), None
    if name == "crescent":
        return regular(48), regular(48, rng.uniform(0.75, 0.95)) + (rng.uniform(0.4, 0.6), 0)
    if name == "arrow":
        return arrow(rng), None
    return heart(rng), None


def placement(rng):
    """A random 2x2 matrix (rotation, scale, mild shear and stretch) and shift, in pixels of the large drawing."""
    side = SIDE * OVERSAMPLE
    radius = side * rng.uniform(0.20, 0.40)
    a = rng.uniform(0, 2 * np.pi)
    rotation = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    stretch = np.array([[rng.uniform(0.8, 1.0), rng.uniform(-0.2, 0.2)], [0, rng.uniform(0.8, 1.0)]])
    margin = radius * 0.9
    return radius * rotation @ stretch, rng.uniform(margin, side - margin, size=2)


def figure_mask(name, rng):
    """Coverage of the figure per pixel, 0..1."""
    matrix, shift = placement(rng)
    large = Image.new("L", (SIDE * OVERSAMPLE,) * 2, 0)
    draw = ImageDraw.Draw(large)
    for polygon, value in zip(outline(name, rng), (255, 0)):
        if polygon is not None:
            draw.polygon([tuple(p) for p in polygon @ matrix.T + shift], fill=value)
    return np.asarray(large.resize((SIDE, SIDE), Image.BOX), np.float64)[..., None] / 255


def texture(color, rng):
    """A SIDE x SIDE x 3 surface around a colour: plain, a gradient, stripes, a checkerboard or soft blotches."""
    kind = rng.integers(5)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    a = rng.uniform(0, 2 * np.pi)
    u, v = np.cos(a) * x + np.sin(a) * y, np.cos(a) * y - np.sin(a) * x
    period = rng.uniform(3, 9)
    if kind == 0:
        pattern = np.zeros_like(u)
    elif kind == 1:
        pattern = u - u.mean()
    elif kind == 2:
        pattern = 0.5 * np.sign(np.sin(2 * np.pi * period * u))
    elif kind == 3:
        pattern = 0.5 * np.sign(np.sin(np.pi * period * u) * np.sin(np.pi * period * v))
    else:
        coarse = rng.uniform(0, 255, size=(6, 6)).astype(np.uint8)
        pattern = np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.BICUBIC), np.float64) / 255 - 0.5
    return color + pattern[..., None] * rng.uniform(-70, 70, size=3)


def colours(rng):
    """Two colours that an eye can just tell apart at least."""
    while True:
        ground, figure = rng.uniform(20, 235, size=(2, 3))
        if np.linalg.norm(ground - figure) > 75:
            return ground, figure


def scribble(rng, count):
    """Coverage of `count` random strokes, each a short thick line."""
    large = Image.new("L", (SIDE * OVERSAMPLE,) * 2, 0)
    draw = ImageDraw.Draw(large)
    for _ in range(count):
        start = rng.uniform(0, SIDE * OVERSAMPLE, size=2)
        end = start + rng.normal(0, SIDE * OVERSAMPLE / 4, size=2)
        draw.line([tuple(start), tuple(end)], fill=255, width=int(rng.integers(OVERSAMPLE, 4 * OVERSAMPLE)))
    return np.asarray(large.resize((SIDE, SIDE), Image.BOX), np.float64)[..., None] / 255


def draw_picture(label, rng):
    """One JPEG picture of the class, as bytes."""
    ground_color, figure_color = colours(rng)
    picture = texture(ground_color, rng)
    layers = [(scribble(rng, rng.integers(0, 4)), rng.uniform(0, 255, size=3)),
              (figure_mask(CLASSES[label], rng), texture(figure_color, rng)),
              (scribble(rng, rng.integers(0, 3)), rng.uniform(0, 255, size=3))]
    for mask, color in layers:
        picture = picture * (1 - mask) + color * mask
    picture = picture * rng.uniform(0.6, 1.1) + rng.normal(0, rng.uniform(0, 22), size=picture.shape)
    image = Image.fromarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
    if rng.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.2)))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return data.getvalue()


def draw_set(stream, count):
    """`count` pictures with the classes in turn: [(label, JPEG bytes)]. Picture i depends on (stream, i) alone."""
    return [(i % len(CLASSES), draw_picture(i % len(CLASSES), np.random.default_rng([stream, i])))
            for i in range(count)]


def decode(pictures):
    """-> uint8 array N x 3 x SIDE x SIDE, and the labels."""
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for _, data in pictures])
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), np.array([label for label, _ in pictures])


def write_pictures(folder, pictures, with_labels):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    lines = []
    for i, (label, data) in enumerate(pictures):
        name = f"{i:03d}_{CLASSES[label]}.jpg"
        lines.append(f"{name}\t{label}\t{CLASSES[label]}\n")
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
    if with_labels:
        with open(os.path.join(folder, "labels.txt"), "w", encoding="utf-8") as f:
            f.writelines(lines)


# ---------------------------------------------------------------------------------------------------------------------
# The network: one list of layers that both the training and the ONNX writer read


def bottleneck(name, width_in, width_out, expansion, stride):
    """Inverted residual block: 1x1 up, 3x3 depthwise, 1x1 down without activation, plus the input where it fits."""
    middle = width_in * expansion
    layers = [(f"{name}/expand", width_in, middle, 1, 1, 1, True),
              (f"{name}/depthwise", middle, middle, 3, stride, middle, True),
              (f"{name}/project", middle, width_out, 1, 1, 1, False)]
    return layers, stride == 1 and width_in == width_out


def network():
    """[(convolutions, residual)], a convolution being (name, in, out, kernel, stride, groups, relu6)."""
    return [([("stem", 3, 16, 3, 2, 1, True)], False),
            bottleneck("block1", 16, 24, 3, 2),
            bottleneck("block2", 24, 24, 4, 1),
            bottleneck("block3", 24, 32, 4, 2),
            bottleneck("block4", 32, 32, 4, 1),
            bottleneck("block5", 32, 48, 4, 1),
            bottleneck("block6", 48, 48, 3, 1),
            ([("head", 48, 128, 1, 1, 1, True)], False)]


FEATURES = 128


def build_torch():
    import torch
    from torch import nn

    class Convolution(nn.Module):

        def __init__(self, name, width_in, width_out, kernel, stride, groups, relu6):
            super().__init__()
            self.name, self.relu6 = name, relu6
            self.conv = nn.Conv2d(width_in, width_out, kernel, stride, kernel // 2, groups=groups, bias=False)
            self.norm = nn.BatchNorm2d(width_out)

        def forward(self, x):
            x = self.norm(self.conv(x))
            return nn.functional.relu6(x) if self.relu6 else x

    class Block(nn.Module):

        def __init__(self, layers, residual):
            super().__init__()
            self.layers = nn.Sequential(*[Convolution(*layer) for layer in layers])
            self.residual = residual

        def forward(self, x):
            y = self.layers(x)
            return x + y if self.residual else y

    class Network(nn.Module):

        def __init__(self):
            super().__init__()
            self.blocks = nn.Sequential(*[Block(*block) for block in network()])
            self.classifier = nn.Linear(FEATURES, len(CLASSES))

        def forward(self, x):
            return self.classifier(self.blocks(x).mean(dim=(2, 3)))

    return Network()


def normalize(pixels):
    """The preprocessing of convert.cfg: mean 127.5, standard deviation 127.5."""
    return (pixels.float() - 127.5) / 127.5


def turn(x, which):
    """One of the eight rotations and reflections of the square: every class keeps its name under them."""
    x = x.rot90(which % 4, (2, 3))
    return x.flip(3) if which >= 4 else x


def accuracy(model, pixels, labels):
    import torch
    model.eval()
    with torch.no_grad():
        hits = [model(normalize(x)).argmax(1) == y for x, y in zip(pixels.split(200), labels.split(200))]
    return torch.cat(hits).float().mean().item()


def train(epochs, batch, test):
    import torch
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    started = time.time()
    pixels, labels = map(torch.from_numpy, decode(draw_set(TRAINING_STREAM, TRAINING_PICTURES)))
    test_pixels, test_labels = map(torch.from_numpy, decode(test))
    print(f"drew {len(labels)} training pictures in {time.time() - started:.0f} s", flush=True)

    model = build_torch().to(memory_format=torch.channels_last)
    steps = epochs * (len(labels) // batch)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, total_steps=steps, pct_start=0.2)
    for epoch in range(epochs):
        model.train()
        order, total = rng.permutation(len(labels)), 0.0
        for first in range(0, len(order) - batch + 1, batch):
            chosen = order[first:first + batch]
            x = turn(normalize(pixels[chosen]), int(rng.integers(8))).contiguous(memory_format=torch.channels_last)
            loss = torch.nn.functional.cross_entropy(model(x), labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1:2d}/{epochs}: loss {total / (len(order) // batch):.3f}, test accuracy "
              f"{100 * accuracy(model, test_pixels, test_labels):.2f} %, {time.time() - started:.0f} s", flush=True)
    return model.eval()


# ---------------------------------------------------------------------------------------------------------------------
# ONNX


def onnx_convolution(layer, source, nodes, constants):
    """Appends Conv, BatchNormalization and, with an activation, Clip; returns the name of the result."""
    from onnx import helper
    name, conv, norm = layer.name, layer.conv, layer.norm
    constants[f"{name}/weight"] = conv.weight
    nodes.append(helper.make_node("Conv", [source, f"{name}/weight"], [f"{name}/conv_out"], f"{name}/conv",
                                  kernel_shape=conv.kernel_size, strides=conv.stride, pads=conv.padding * 2,
                                  group=conv.groups, dilations=[1, 1]))
    for key, value in (("gamma", norm.weight), ("beta", norm.bias), ("mean", norm.running_mean),
                       ("variance", norm.running_var)):
        constants[f"{name}/{key}"] = value
    inputs = [f"{name}/conv_out"] + [f"{name}/{key}" for key in ("gamma", "beta", "mean", "variance")]
    nodes.append(helper.make_node("BatchNormalization", inputs, [f"{name}/bn_out"], f"{name}/bn", epsilon=norm.eps))
    if not layer.relu6:
        return f"{name}/bn_out"
    nodes.append(helper.make_node("Clip", [f"{name}/bn_out", "relu6/min", "relu6/max"], [f"{name}/out"],
                                  f"{name}/relu6"))
    return f"{name}/out"


def write_onnx(model, path):
    import onnx
    import torch
    from onnx import TensorProto, helper, numpy_helper
    nodes, constants = [], {"relu6/min": torch.tensor(0.0), "relu6/max": torch.tensor(6.0)}
    value = "input"
    for block in model.blocks:
        entry = value
        for layer in block.layers:
            value = onnx_convolution(layer, value, nodes, constants)
        if block.residual:
            name = block.layers[0].name.split("/")[0]
            nodes.append(helper.make_node("Add", [entry, value], [f"{name}/sum"], f"{name}/add"))
            value = f"{name}/sum"
    nodes.append(helper.make_node("GlobalAveragePool", [value], ["pool/out"], "pool"))
    nodes.append(helper.make_node("Flatten", ["pool/out"], ["flatten/out"], "flatten", axis=1))
    constants["classifier/weight"], constants["classifier/bias"] = model.classifier.weight, model.classifier.bias
    nodes.append(helper.make_node("Gemm", ["flatten/out", "classifier/weight", "classifier/bias"], ["logits"],
                                  "classifier", transB=1))
    tensors = [numpy_helper.from_array(np.ascontiguousarray(v.detach().numpy()), k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "demo",
                              [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
                              [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", len(CLASSES)])],
                              tensors)
    result = helper.make_model(graph, producer_name="make_demo", opset_imports=[helper.make_opsetid("", 13)])
    result.ir_version = 7
    onnx.checker.check_model(result)
    onnx.save(result, path)
    print(f"{path}: {os.path.getsize(path)} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--pictures-only", action="store_true")
    args = parser.parse_args()

    os.makedirs(args.out, exist_ok=True)
    test = draw_set(TEST_STREAM, TEST_PICTURES)
    write_pictures(os.path.join(args.out, "calib"), draw_set(CALIBRATION_STREAM, CALIBRATION_PICTURES), False)
    write_pictures(os.path.join(args.out, "eval"), test, True)
    with open(os.path.join(args.out, "classes.txt"), "w", encoding="utf-8") as f:
        f.writelines(name + "\n" for name in CLASSES)
    if not args.pictures_only:
        write_onnx(train(args.epochs, args.batch, test), os.path.join(args.out, "model.onnx"))


if __name__ == "__main__":
    main()
