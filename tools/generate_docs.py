#!/usr/bin/env python3
"""Writes the settings tables into every connector's guide.md, from the schema files.

  generate_docs.py [--connectors DIR]           writes them
  generate_docs.py [--connectors DIR] --check   fails when a guide is not what the schemas say

A guide holds the markers <!-- settings:begin --> … <!-- settings:end --> for the connection and
<!-- function:TYPE:begin --> … <!-- function:TYPE:end --> for every function type; what stands between them is replaced.
"""
import argparse
import difflib
import json
import pathlib
import re
import sys

from settings_schema import Problem, load_connector, text_of

TYPE_WORDS = {"object": "object", "array": "list", "string": "text", "integer": "whole number", "number": "number",
              "boolean": "true or false"}
MARKER = re.compile(r"<!-- (settings|function:[^ ]+?):(begin|end) -->")
HEADER = "| setting | type | default | range | unit | meaning |\n|---|---|---|---|---|---|\n"


def cell(text):
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def rows(file, schema, prefix, pointer):
    """One row per setting; the members of objects and of the items of lists follow theirs."""
    required = schema.get("required", [])
    for name, child in schema.get("properties", {}).items():
        at = f"{pointer}/properties/{name}"
        resolved = file.resolve(child, at)[1]
        inner, inner_prefix = resolved, f"{prefix}{name}."
        if resolved.get("type") == "array" and "items" in resolved:
            inner, inner_prefix = file.resolve(resolved["items"], f"{at}/items")[1], f"{prefix}{name}[]."
        meaning = resolved.get("description") or resolved.get("title", "")
        if "x-showWhen" in resolved:
            meaning = f"{meaning} {when(file, resolved['x-showWhen'], schema, prefix, at)}"
        cells = [f"`{prefix}{name}`", kind(file, resolved, at), default(child, resolved, name in required), limits(resolved),
                 resolved.get("x-unit", ""), meaning]
        yield "| " + " | ".join(cell(each) for each in cells) + " |\n"
        if "properties" in inner:
            yield from rows(file, inner, inner_prefix, at)


def when(file, condition, schema, prefix, pointer):
    """The shorter way to say for which values of another setting this one counts."""
    decider = file.resolve(schema["properties"][condition["property"]], pointer)[1]
    others = [value for value in decider.get("enum", []) if value not in condition["in"]]
    word, values = ("Not", others) if 0 < len(others) < len(condition["in"]) else ("Only", condition["in"])
    listed = " or ".join(f"`{text_of(value)}`" for value in values)
    return f"{word} with `{prefix}{condition['property']}` {listed}."


def kind(file, schema, pointer):
    if schema.get("x-secret"):
        return "secret"
    if schema.get("type") == "array" and "items" in schema:
        item = file.resolve(schema["items"], f"{pointer}/items")[1]
        return f"list of {TYPE_WORDS.get(item.get('type'), 'anything')}"
    return TYPE_WORDS.get(schema.get("type"), "text" if schema.get("enum") else "anything")


def default(schema, resolved, is_required):
    if "default" in resolved and resolved["default"] not in ({}, []):
        value = schema.get("default", resolved["default"])
        return f"`{json.dumps(value)}`"
    return "required" if is_required else ""


def limits(schema):
    """The bounds in words: values, numbers, lengths."""
    if "enum" in schema:
        return ", ".join(f"`{text_of(value)}`" for value in schema["enum"])
    if schema.get("type") in ("integer", "number"):
        low = schema.get("minimum")
        if "exclusiveMinimum" in schema:
            return f"above {schema['exclusiveMinimum']}" + (f", at most {schema['maximum']}" if "maximum" in schema else "")
        return bounds(low, schema.get("maximum"), "")
    if schema.get("type") == "array":
        return bounds(schema.get("minItems"), schema.get("maxItems"), " items")
    if schema.get("type") == "string":
        minimum = schema.get("minLength")
        return bounds(minimum if minimum and minimum > 1 else None, schema.get("maxLength"), " characters")
    return ""


def bounds(low, high, what):
    if low is not None and high is not None:
        return f"{low} to {high}{what}"
    if low is not None:
        return f"at least {low}{what}"
    return f"at most {high}{what}" if high is not None else ""


def table(file):
    lines = "".join(rows(file, file.root, "", ""))
    return HEADER + lines if lines else "There is nothing to set.\n"


def fill(guide, text, tables):
    """The guide's text with every region replaced."""
    opened = None
    filled = ""
    done = 0
    seen = []
    for marker in MARKER.finditer(text):
        name, edge = marker.groups()
        if name not in tables:
            raise Problem(f"{guide}: {marker.group(0)}: there is no such function")
        if (opened is None) != (edge == "begin") or opened not in (None, name):
            expected = f"<!-- {opened}:end -->" if opened else f"<!-- {name}:begin -->"
            raise Problem(f"{guide}: {expected} is missing before {marker.group(0)}")
        if edge == "begin":
            filled += text[done:marker.end()] + "\n" + tables[name]
            opened = name
            seen.append(name)
        else:
            done = marker.start()
            opened = None
    if opened:
        raise Problem(f"{guide}: <!-- {opened}:end --> is missing")
    for name in tables:
        if name not in seen:
            raise Problem(f"{guide}: <!-- {name}:begin --> and <!-- {name}:end --> are missing: the place of that table")
    return filled + text[done:]


def process(folder, check):
    """The text to print when the guide is not up to date; None when it is."""
    connection, functions = load_connector(folder)
    tables = {"settings": table(connection)}
    tables.update({f"function:{schema.root['x-function']}": table(schema) for _, schema in functions})
    guide = folder / "guide.md"
    try:
        text = guide.read_text(encoding="utf-8")
    except OSError as error:
        raise Problem(f"{guide}: cannot be read: {error.strerror}") from error
    filled = fill(guide, text, tables)
    if filled == text:
        return None
    if not check:
        guide.write_text(filled, encoding="utf-8")
        return None
    lines = difflib.unified_diff(text.splitlines(), filled.splitlines(), "as it is", "as it should be", n=0, lineterm="")
    return (f"{guide}: the settings tables are not what the schemas say; run tools/generate_docs.py and commit the result\n"
            + "\n".join(list(lines)[:40]))


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connectors", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent / "connectors")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    failed = False
    for file in sorted(options.connectors.glob("*/connector.json")):
        try:
            problem = process(file.parent, options.check)
        except Problem as raised:
            problem = str(raised)
        if problem:
            print(f"generate_docs.py: {problem}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
