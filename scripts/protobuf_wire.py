"""Fields of protobuf messages as bytes, for the programs here that write ONNX models with nothing but the standard library."""


def varint(value):
    value &= (1 << 64) - 1  # negative numbers take ten bytes
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, data):
    """Text, bytes or a message."""
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data
