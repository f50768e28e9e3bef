"""Where the peers are: onnxruntime through the binding of the tools beside the checkout, if they are there."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = os.environ.get("QLITE_PEERS", os.path.join(ROOT, "../shared/tools/peers"))


def onnxruntime():
    """The binding's module, or a SystemExit that says what is missing."""
    if not os.path.exists(os.path.join(TOOLS, "ort.py")):
        raise SystemExit(f"no onnxruntime binding in {TOOLS}; set QLITE_PEERS to the folder that holds ort.py")
    sys.path.insert(0, TOOLS)
    import ort  # pylint: disable=import-error,import-outside-toplevel
    ort.api()  # fails here, and says why, where the library is not installed
    return ort
