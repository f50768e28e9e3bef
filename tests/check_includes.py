#!/usr/bin/env python3
"""Holds every #include of the project against the table of rooms in docs/architecture.md.

The table's rows look like `| `src/passes/` | what it holds | `core`, `calib` |`: the last column names the rooms whose
headers files of that room may include beside its own. Exit status 1 and one line a violation where one does not hold.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| `([\w/]+?)/?` \|.*\| ([^|]*)\|\s*$")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
SOURCES = {".h", ".cc", ".c", ".inc"}


def read_table():
    """{room folder: set of rooms it may include}, `include` standing for the public headers."""
    table = {}
    for line in (ROOT / "docs/architecture.md").read_text(encoding="utf-8").splitlines():
        match = ROW.match(line)
        if match:
            table[match.group(1)] = set(re.findall(r"`([\w/]+?)/?`", match.group(2))) | (
                {"anything"} if "anything" in match.group(2) else set())
    return table


def room_of(path, rooms):
    inside = [room for room in rooms if path == room or path.startswith(room + "/")]
    return max(inside, key=len, default=None)


def target_room(include, rooms):
    """The room that an #include names; None for a generated or third-party header."""
    if include.startswith("qlite/"):
        return "include/qlite"
    for root in ("src/", ""):
        if (ROOT / (root + include)).is_file():
            return room_of(root + include, rooms)
    return None


def main():
    table = read_table()
    problems, checked = [], 0
    for path in sorted(p for folder in ("include", "src", "capi", "examples") for p in (ROOT / folder).rglob("*")):
        if path.suffix not in SOURCES:
            continue
        relative = path.relative_to(ROOT).as_posix()
        room = room_of(relative, table)
        if room is None:
            problems.append(f"{relative}: its folder is not in the table of rooms")
            continue
        allowed = table[room]
        for include in INCLUDE.findall(path.read_text(encoding="utf-8")):
            target = target_room(include, table)
            checked += 1
            if target is None or target == room or "anything" in allowed:
                continue
            if target.removeprefix("src/") not in allowed and target not in allowed:
                problems.append(f"{relative}: includes {include} of room {target}, which {room} may not")
    print("\n".join(problems) if problems else f"{checked} includes hold against {len(table)} rooms")
    return 1 if problems or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
