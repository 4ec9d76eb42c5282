#!/usr/bin/env python3
"""Fails when a source file includes what its layer may not see.

The table is src/CMakeLists.txt: a module sees itself and the modules it DEPENDS on, directly or through others. A connector sees
src/sdk and what that depends on, its own folder and its own generated settings. src/app wires everything and sees all.
Tests may also use tests/support. Heavy third-party headers are kept out of headers (design §3: comfortable on two cores).

Usage: check_includes.py ROOT     Exit 0 when clean, 1 with one line per finding.
"""
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)
MODULE = re.compile(r"tributary_module\((\w+)([^)]*)\)")
HEAVY = ("boost/beast", "soci/", "soci.h", "jsoncons_ext/jsonschema", "jsoncons_ext/jmespath", "mosquitto.h", "prometheus/", "curl/curl.h",
         "yaml-cpp/", "spdlog/", "sodium.h", "sqlite3.h")
# The header that wraps a heavy library for the .cpp files of its own folder says so by its name.
HEAVY_ALLOWED_SUFFIX = "_internal.hpp"


def modules(root: Path) -> dict[str, set[str]]:
    """Module -> every module it may include, itself included."""
    direct = {}
    for name, rest in MODULE.findall((root / "src/CMakeLists.txt").read_text()):
        words = rest.split("LIBRARIES")[0].split()
        direct[name] = set(words[words.index("DEPENDS") + 1:]) if "DEPENDS" in words else set()
    reach = {}
    for name, depends in direct.items():  # the table is ordered: what a module needs is above it
        unknown = depends - reach.keys()
        if unknown:
            raise SystemExit(f"src/CMakeLists.txt: {name} depends on {', '.join(sorted(unknown))}, which is not above it")
        reach[name] = {name}.union(*(reach[d] for d in depends)) if depends else {name}
    return reach


def layer_of(path: Path, root: Path) -> tuple[str, str]:
    parts = path.relative_to(root).parts
    return parts[0], parts[1]


def allowed(path: Path, root: Path, reach: dict[str, set[str]], target: str) -> str | None:
    """None when the include is fine, otherwise the reason why it is not."""
    kind, name = layer_of(path, root)
    first = target.split("/")[0]
    in_tests = "tests" in path.relative_to(root).parts
    if in_tests and target.startswith("tests/"):
        return None
    if kind == "src":
        if name == "app":
            return None
        if first == "connectors":
            return f"src/{name} must not know a connector by name; go through sdk::Registry"
        if first in reach and first not in reach[name]:
            return f"src/{name} may not include src/{first}; see the table in src/CMakeLists.txt"
    if kind == "connectors":
        if first == "connectors" and target.split("/")[1] != name:
            return f"connectors/{name} must not include another connector"
        if first in reach and first not in reach["sdk"]:
            return f"connectors/{name} may only include src/sdk and what it depends on, not src/{first}"
    return None


def main() -> int:
    root = Path(sys.argv[1]).resolve()
    reach = modules(root)
    findings, files = [], 0
    for top in ("src", "connectors"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".hpp", ".cpp"):
                continue
            files += 1
            where = path.relative_to(root)
            for style, target in INCLUDE.findall(path.read_text()):
                if style == '"':
                    reason = allowed(path, root, reach, target)
                    if reason:
                        findings.append(f'{where}: #include "{target}": {reason}')
                elif path.suffix == ".hpp" and target.startswith(HEAVY) and not path.name.endswith(HEAVY_ALLOWED_SUFFIX):
                    findings.append(f"{where}: <{target}> is a heavy header; include it in a .cpp and hide it behind a pointer")
    for finding in findings:
        print(finding)
    print(f"{files} files, {len(findings)} findings")
    if files == 0:
        print("nothing was checked: is this the root of the project?")
        return 1
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
