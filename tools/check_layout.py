#!/usr/bin/env python3
"""Fails when the house gets untidy: files over 600 lines, tests without an assertion, a host name or a path that does not
belong into a repository, a JSON or YAML file that does not parse.

Usage: check_layout.py ROOT     Exit 0 when clean, 1 with one line per finding.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

CODE = {".cpp", ".hpp", ".ts", ".tsx", ".py", ".mjs"}
MAX_LINES = 600
ASSERTION = re.compile(r"EXPECT_|ASSERT_|RC_ASSERT|ADD_FAILURE|expect\(|assert")
# Registries are reached by their clients' own configuration, never by a name in here.
REGISTRY = re.compile(r"(registry\.npmjs|deb\.debian|pypi\.org|repo1?\.maven|proxy\.golang|crates\.io)")


def is_test(path: Path) -> bool:
    name = path.name
    return name.endswith("_test.cpp") or ".test." in name or (name.startswith("test_") and path.suffix == ".py")


def main() -> int:
    root = Path(sys.argv[1]).resolve()
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True, text=True, check=True)
    findings, files = [], 0
    for name in listed.stdout.splitlines():
        path = root / name
        if not path.is_file() or path.suffix in {".png", ".ico", ".woff2"} or "/corpus/" in name:
            continue
        files += 1
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = text.count("\n")
        if path.suffix in CODE and lines > MAX_LINES:
            findings.append(f"{name}: {lines} lines; over {MAX_LINES} asks for two rooms")
        if is_test(path) and not ASSERTION.search(text):
            findings.append(f"{name}: a test that asserts nothing")
        if REGISTRY.search(text) and name != "tools/check_layout.py":
            findings.append(f"{name}: names a package registry's host: {REGISTRY.search(text).group(0)}")
        if path.suffix == ".json" and "tsconfig" not in name:
            try:
                json.loads(text)
            except ValueError as error:
                findings.append(f"{name}: {error}")
    for finding in findings:
        print(finding)
    print(f"{files} files, {len(findings)} findings")
    return 1 if findings or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
