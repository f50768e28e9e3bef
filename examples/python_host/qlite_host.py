#!/usr/bin/env python3
"""A host in Python that uses libqlite.so alone, through ctypes: from a model and a folder of pictures to an int8 file, which it then
runs on the first picture.

    qlite_host.py LIBRARY MODEL FOLDER OUTPUT [--resize WxH] [--shorter N] [--crop WxH] [--count N] [--threads N]

Pictures are taken as RGB, x / 127.5 - 1. With the same settings the file has the same bytes as that of qlite_convert.
"""
import argparse
import ctypes as c
import sys

ABI_VERSION = 0
FORMAT_AUTO = -1
RGB = 0


class Struct(c.Structure):
    """A structure that begins with struct_size, which is set on the way in."""

    def __init__(self, **fields):
        super().__init__(struct_size=c.sizeof(type(self)), **fields)


class ErrorInfo(Struct):
    _fields_ = [("struct_size", c.c_size_t), ("message", c.c_char_p), ("file", c.c_char_p), ("node", c.c_char_p),
                ("value", c.c_char_p), ("code", c.c_int32), ("reserved", c.c_int32)]


class ContextOptions(Struct):
    _fields_ = [("struct_size", c.c_size_t), ("num_threads", c.c_int32), ("log_to_stderr", c.c_int32),
                ("log_level", c.c_int32), ("reserved", c.c_int32), ("pool", c.c_void_p), ("executor", c.c_void_p),
                ("log", c.c_void_p), ("log_user", c.c_void_p), ("progress", c.c_void_p), ("progress_user", c.c_void_p),
                ("isa", c.c_char_p), ("max_file_bytes", c.c_uint64), ("max_tensor_bytes", c.c_uint64),
                ("max_nodes", c.c_int64), ("max_image_pixels", c.c_uint64), ("memory_budget_bytes", c.c_uint64)]


class ImageOptions(Struct):
    _fields_ = [("struct_size", c.c_size_t), ("order", c.c_int32), ("resize_method", c.c_int32),
                ("mean", c.POINTER(c.c_float)), ("std", c.POINTER(c.c_float)), ("channels", c.c_size_t),
                ("resize_width", c.c_int64), ("resize_height", c.c_int64), ("resize_shorter_side", c.c_int64),
                ("crop_width", c.c_int64), ("crop_height", c.c_int64)]


class DataTarget(Struct):
    _fields_ = [("struct_size", c.c_size_t), ("graph", c.c_void_p), ("shapes", c.c_void_p), ("shape_count", c.c_size_t),
                ("input", c.c_char_p)]


class SampleBuffer(c.Structure):
    _fields_ = [("name", c.c_char_p), ("data", c.c_void_p), ("size", c.c_size_t), ("dims", c.POINTER(c.c_int64)),
                ("rank", c.c_size_t), ("type", c.c_int32), ("reserved", c.c_int32)]


class CalibrationInfo(Struct):
    _fields_ = [("struct_size", c.c_size_t), ("method", c.c_char_p), ("graph_fingerprint", c.c_uint64),
                ("data_fingerprint", c.c_uint64), ("samples_done", c.c_int64), ("tensor_count", c.c_size_t)]


class QuantizationInfo(Struct):
    _fields_ = [("struct_size", c.c_size_t), ("node_count", c.c_size_t), ("step_count", c.c_size_t),
                ("warning_count", c.c_size_t), ("stage_count", c.c_size_t)]


class NodeOutcome(Struct):
    _fields_ = [("struct_size", c.c_size_t), ("name", c.c_char_p), ("op", c.c_char_p), ("reason", c.c_char_p),
                ("integer", c.c_int32), ("reserved", c.c_int32)]


class ManifestEntry(c.Structure):
    _fields_ = [("key", c.c_char_p), ("value", c.c_char_p)]


class ExportOptions(Struct):
    _fields_ = [("struct_size", c.c_size_t), ("format", c.c_int32), ("onnx_uint8_activations", c.c_int32),
                ("manifest", c.POINTER(ManifestEntry)), ("manifest_count", c.c_size_t), ("check_data", c.c_void_p),
                ("check_samples", c.c_int32), ("reserved", c.c_int32)]


class QliteError(Exception):
    pass


class Qlite:
    """The library with one context. Methods are the functions of qlite.h without their prefix; a failure is an exception."""

    def __init__(self, path, threads):
        self._library = c.CDLL(path)
        self._library.qlite_version_string.restype = c.c_char_p
        self._library.qlite_status_name.restype = c.c_char_p
        self.context = c.c_void_p()
        self._handles = []  # (release function, handle)
        options = ContextOptions()
        self.context_options_init(c.byref(options), c.c_size_t(c.sizeof(options)))
        options.num_threads = threads
        options.log_to_stderr = 1
        error = c.c_void_p()
        status = self._library.qlite_context_create(c.c_uint32(ABI_VERSION), c.byref(options), c.byref(self.context),
                                                    c.byref(error))
        if status:
            raise QliteError(self._text(status, error))
        self._handles.append((self._library.qlite_context_release, self.context))

    def version(self):
        return self._library.qlite_version_string().decode()

    def _text(self, status, error):
        info = ErrorInfo()
        name = self._library.qlite_status_name(status).decode()
        if not error or self._library.qlite_error_get(error, c.byref(info)):
            return name
        text = f"{name}: {info.message.decode()}"
        self._library.qlite_error_release(error)
        return text

    def __getattr__(self, name):
        function = getattr(self._library, "qlite_" + name)

        def call(*arguments):
            status = function(*arguments)
            if status:
                error = c.c_void_p()
                self._library.qlite_last_error(self.context, c.byref(error))
                raise QliteError(self._text(status, error))
        return call

    def make(self, function, kind, *arguments):
        """Calls a function whose last parameter receives a handle, which is released at the end."""
        handle = c.c_void_p()
        getattr(self, function)(*arguments, c.byref(handle))
        self._handles.append((getattr(self._library, f"qlite_{kind}_release"), handle))
        return handle

    def close(self):
        for release, handle in reversed(self._handles):
            release(handle)
        self._handles.clear()


def image_options(q, arguments):
    options = ImageOptions()
    q.image_options_init(c.byref(options), c.c_size_t(c.sizeof(options)))
    pixels = (c.c_float * 3)(127.5, 127.5, 127.5)
    options.order = RGB
    options.mean = options.std = pixels
    options.channels = 3
    if arguments.resize:
        options.resize_width, options.resize_height = arguments.resize
    options.resize_shorter_side = arguments.shorter
    if arguments.crop:
        options.crop_width, options.crop_height = arguments.crop
    return options, pixels


def print_account(q, result):
    info = QuantizationInfo()
    q.quantization_result_get_info(result, c.byref(info))
    integer = 0
    for i in range(info.node_count):
        node = NodeOutcome()
        q.quantization_result_get_node(result, c.c_size_t(i), c.byref(node))
        integer += node.integer
        if not node.integer:
            print(f"  float: {node.op.decode()} '{node.name.decode()}': {node.reason.decode()}")
    print(f"{integer} of {info.node_count} nodes run in integers")


def save(q, model, int8, table, data, path):
    calibration = CalibrationInfo()
    q.calibration_table_get_info(table, c.byref(calibration))
    fingerprint = c.c_uint64()
    q.graph_fingerprint(model, c.byref(fingerprint))
    entries = {"model_hash": f"{fingerprint.value:016x}", "quantization": "FULL_QUANT", "activation_quant_method": "MAX_MIN",
               "per_channel": "true", "bias_correction": "true", "equalization": "true",
               "calibration_samples": str(calibration.samples_done),
               "data_hash": f"{calibration.data_fingerprint:016x}"}
    manifest = (ManifestEntry * len(entries))(*[ManifestEntry(k.encode(), v.encode()) for k, v in entries.items()])
    options = ExportOptions()
    q.export_options_init(c.byref(options), c.c_size_t(c.sizeof(options)))
    options.manifest = manifest
    options.manifest_count = len(entries)
    options.check_data = data
    q.graph_save(q.context, int8, path.encode(), c.byref(options))


def run_first_picture(q, path, data):
    graph = q.make("graph_load", "graph", q.context, path.encode(), c.c_int32(FORMAT_AUTO))
    session = q.make("session_create", "session", q.context, graph, None)
    buffer = SampleBuffer()
    q.session_get_input(session, c.c_size_t(0), c.byref(buffer))
    memory, size = (c.c_void_p * 1)(buffer.data), (c.c_size_t * 1)(buffer.size)
    q.data_set_read(data, c.c_int64(0), memory, size, c.c_size_t(1))
    q.session_run(session)
    q.session_get_output(session, c.c_size_t(0), c.byref(buffer))
    scores = (c.c_float * (buffer.size // 4)).from_address(buffer.data)
    best = max(range(len(scores)), key=lambda i: scores[i])
    print(f"first picture: class {best} with {scores[best]:g}")


def convert(q, arguments):
    model = q.make("graph_load", "graph", q.context, arguments.model.encode(), c.c_int32(FORMAT_AUTO))
    target = DataTarget(graph=model)
    options, _pixels = image_options(q, arguments)
    data = q.make("data_set_open_images", "data_set", c.byref(target), arguments.folder.encode(),
                  c.c_int64(arguments.count), c.byref(options))
    quantizer = q.make("quantizer_create", "quantizer", q.context, None)
    result = q.make("quantizer_run", "quantization_result", quantizer, model, data, None)
    print_account(q, result)
    int8 = q.make("quantization_result_graph", "graph", result)
    table = q.make("quantization_result_table", "calibration_table", result)
    save(q, model, int8, table, data, arguments.output)
    run_first_picture(q, arguments.output, data)


def extent(text):
    width, height = text.split("x")
    return int(width), int(height)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("library", "model", "folder", "output"):
        parser.add_argument(name)
    parser.add_argument("--resize", type=extent)
    parser.add_argument("--crop", type=extent)
    parser.add_argument("--shorter", type=int, default=0)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    q = None
    try:
        q = Qlite(arguments.library, arguments.threads)
        print("qlite", q.version())
        convert(q, arguments)
    except QliteError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if q is not None:
            q.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
