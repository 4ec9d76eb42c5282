#!/usr/bin/env python3
"""Writes the typed settings of a connector: settings.hpp and settings.cpp from its JSON Schema files.

  generate_settings.py --connector connectors/modbus --output build/…/generated/connectors/modbus

What is read and what it becomes: docs/settings-schemas.md.
"""
import argparse
import json
import pathlib
import re
import sys

from settings_schema import Problem, escape, load_connector

KEYWORDS = set("""alignas alignof and asm auto bitand bitor bool break case catch char class compl concept const consteval
constexpr constinit continue decltype default delete do double else enum explicit export extern false float for friend goto
if inline int long mutable namespace new noexcept not nullptr operator or private protected public register requires return
short signed sizeof static struct switch template this throw true try typedef typeid typename union unsigned using virtual
void volatile while xor""".split())
SCALARS = {"string": "std::string", "integer": "std::int64_t", "number": "double", "boolean": "bool"}


def snake(name):
    """requestTimeoutMs → request_timeout_ms, tlsCA → tls_ca"""
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text).lower()
    return text + "_" if text in KEYWORDS else text


def pascal(name):
    return name[:1].upper() + name[1:]


def singular(name):
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if name.endswith(ending):
            return name[:-len(ending)] + replacement
    if name.endswith("s") and not name.endswith("ss"):
        return name[:-1]
    return name + "Item"


def constant(value):
    """holdingRegisters → kHoldingRegisters, 3.1.1 → k3_1_1, x-y → kXY"""
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", value) if part]
    text = ""
    for part in parts:
        text += ("_" if text[-1:].isdigit() and part[0].isdigit() else "") + pascal(part)
    return "k" + (text or "Empty")


def literal(text):
    body = "".join(
        {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(c, c if c >= " " and c != "\x7f" else f"\\{ord(c):03o}")
        for c in text)
    return f'"{body}"'


class Enumeration:
    def __init__(self, name, scope, values):
        self.name = name
        self.scope = scope  # "" or "ReadSettings::"
        self.values = values


class Struct:
    def __init__(self, name, scope, comment):
        self.name = name
        self.scope = scope
        self.comment = comment
        self.nested = []   # Enumeration and Struct, in order
        self.members = []  # (type, name, default, key, comment)

    @property
    def inside(self):
        return f"{self.scope}{self.name}::"

    def add_nested(self, item, problem):
        if item.name == self.name or any(other.name == item.name for other in self.nested):
            raise problem(f"two types of {self.scope}{self.name} would be called {item.name}; "
                          "rename one property, or use a definition of $defs")
        self.nested.append(item)


class Generator:
    def __init__(self, folder):
        self.name = folder.name
        self.shared = {}    # name of a definition → (Struct or Enumeration or C++ type, schema, file)
        self.toplevel = []  # Struct and Enumeration at namespace level, each after what it needs
        connection, functions = load_connector(folder)
        self._file(connection, "ConnectionSettings", connection.root.get("description", ""))
        for name, schema in functions:
            self._file(schema, pascal(name) + "Settings", schema.root.get("description", ""))

    def _file(self, file, name, comment):
        struct = Struct(name, "", comment)
        self._members(file, struct, file.root, "")
        self._add_toplevel(struct, file, "")

    def _add_toplevel(self, item, file, pointer):
        if any(other.name == item.name for other in self.toplevel):
            raise file.problem(pointer, f"two types of this connector would be called {item.name}")
        self.toplevel.append(item)

    def _members(self, file, struct, schema, pointer):
        required = schema.get("required", [])
        for key, child in schema.get("properties", {}).items():
            at = f"{pointer}/properties/{escape(key)}"
            if child.get("x-secret"):
                continue
            resolved = file.resolve(child, at)[1]
            plain, enumeration = self._type(file, child, at, key, struct)
            default = None
            if "default" in child:
                default = self._default(child["default"], plain, enumeration)
            elif key not in required:
                plain = f"std::optional<{plain}>"
            comment = resolved.get("description") or resolved.get("title", "")
            if resolved.get("x-unit"):
                comment = f"{comment} [{resolved['x-unit']}]".strip()
            name = snake(key)
            if any(member[1] == name for member in struct.members):
                raise file.problem(at, f"two members of {struct.name} would be called {name}")
            struct.members.append((plain, name, default, key, comment))

    def _default(self, value, plain, enumeration):
        """The C++ initializer; None where value-initialization has to do."""
        if enumeration:
            return f"{plain}::{constant(value)}"
        if plain == "std::string":
            return literal(value)
        if plain == "bool":
            return "true" if value else "false"
        if plain == "std::int64_t":
            return str(int(value))
        if plain == "double":
            return repr(float(value))
        if plain in [f"std::vector<{scalar}>" for scalar in SCALARS.values()] and value:
            inner = plain[len("std::vector<"):-1]
            return "{" + ", ".join(self._default(each, inner, False) for each in value) + "}"
        return None

    def _type(self, file, schema, pointer, key, struct):
        """(C++ type, whether it is an enumeration). Adds nested types to `struct`."""
        definition, resolved = file.resolve(schema, pointer)
        if definition is not None:
            return self._definition(file, definition)
        return self._plain_type(file, resolved, pointer, key, struct)

    def _definition(self, file, name):
        schema = file.definitions()[name]
        pointer = f"/$defs/{escape(name)}"
        known = self.shared.get(name)
        if known is None:
            holder = Struct("", "", "")  # takes what the definition declares; moved to the namespace below
            kind = self._plain_type(file, schema, pointer, name, holder)
            for item in holder.nested:
                self._add_toplevel(item, file, pointer)
            self.shared[name] = known = (kind, schema, file)
        elif known[1] != schema:
            raise file.problem(pointer, f"differs from the definition of the same name in {known[2].path}; "
                               "make them equal or give one another name")
        return known[0]

    def _plain_type(self, file, schema, pointer, key, struct):
        kind = schema.get("type")
        values = schema.get("enum")
        scope = struct.inside if struct.name else ""
        if values is not None and all(isinstance(value, str) for value in values) and kind in (None, "string"):
            names = [constant(value) for value in values]
            for name in names:
                if names.count(name) > 1:
                    raise file.problem(f"{pointer}/enum", f"two values would be called {name}")
            item = Enumeration(pascal(key), scope, values)
            struct.add_nested(item, lambda text: file.problem(pointer, text))
            return scope + item.name, True
        if kind in SCALARS:
            return SCALARS[kind], False
        if kind == "array":
            if "items" not in schema:
                return "std::vector<Json>", False
            inner = self._type(file, schema["items"], f"{pointer}/items", singular(key), struct)[0]
            return f"std::vector<{inner}>", False
        if kind == "object":
            return self._object_type(file, schema, pointer, key, struct, scope), False
        return "Json", False

    def _object_type(self, file, schema, pointer, key, struct, scope):
        additional = schema.get("additionalProperties", False)
        if "properties" not in schema:
            if isinstance(additional, dict) and additional:
                inner = self._type(file, additional, f"{pointer}/additionalProperties", singular(key), struct)[0]
                return f"std::map<std::string, {inner}, std::less<>>"
            return "Json"
        if additional is not False:
            raise file.problem(f"{pointer}/additionalProperties",
                               "an object has either named properties or free ones, not both")
        nested = Struct(pascal(key), scope, schema.get("description", ""))
        self._members(file, nested, schema, pointer)
        struct.add_nested(nested, lambda text: file.problem(pointer, text))
        return scope + nested.name

    # Output

    def everything(self):
        """Every struct and enumeration, inner ones before the one that holds them."""
        def walk(items):
            for item in items:
                if isinstance(item, Struct):
                    yield from walk(item.nested)
                yield item
        return list(walk(self.toplevel))

    def header(self):
        lines = ["// Generated by tools/generate_settings.py.", "#pragma once", "", "#include <cstdint>", "#include <functional>",
                 "#include <map>", "#include <optional>", "#include <string>", "#include <string_view>", "#include <vector>", "",
                 '#include "model/json.hpp"', "", f"namespace tributary::connectors::{self.name} {{", ""]
        for item in self.toplevel:
            lines += declare(item, "") + [""]
        for item in self.everything():
            if isinstance(item, Enumeration):
                kind = item.scope + item.name
                lines += ["// The text of the setting.", f"std::string_view to_string({kind} value);",
                          "// False, and `value` as it was, when the text is none of the values.",
                          f"bool from_string(std::string_view text, {kind}& value);"]
        return "\n".join(lines + ["", f"}}  // namespace tributary::connectors::{self.name}", ""])

    def source(self):
        lines = ["// Generated by tools/generate_settings.py.", f'#include "connectors/{self.name}/settings.hpp"', "",
                 '#include "schema/typed.hpp"', "", f"namespace tributary::connectors::{self.name} {{", ""]
        for item in self.everything():
            lines += (define_enumeration(item) if isinstance(item, Enumeration) else define_struct(item)) + [""]
        return "\n".join(lines + [f"}}  // namespace tributary::connectors::{self.name}", ""])


def declare(item, indent):
    if isinstance(item, Enumeration):
        values = ", ".join(constant(value) for value in item.values)
        return [f"{indent}enum class {item.name} : std::uint8_t {{ {values} }};"]
    lines = [f"{indent}// {comment}" for comment in item.comment.splitlines()]
    lines.append(f"{indent}struct {item.name} {{")
    inner = indent + "  "
    for nested in item.nested:
        lines += declare(nested, inner)
    for kind, name, default, _, comment in item.members:
        lines += [f"{inner}// {line}" for line in comment.splitlines()]
        lines.append(f"{inner}{kind} {name}{' = ' + default if default and default[0] != '{' else default or '{}'};")
    lines += ["", f"{inner}// Of a document that was validated and has its defaults. Never fails.",
              f"{inner}static {item.name} from_json(const Json& settings);",
              f"{inner}friend bool operator==(const {item.name}&, const {item.name}&) = default;", f"{indent}}};"]
    return lines


def define_enumeration(item):
    kind = item.scope + item.name
    lines = [f"std::string_view to_string({kind} value) {{", "  switch (value) {"]
    lines += [f"    case {kind}::{constant(value)}:\n      return {literal(value)};" for value in item.values]
    lines += ["  }", f"  return {literal(item.values[0])};", "}", "",
              f"bool from_string(std::string_view text, {kind}& value) {{"]
    for value in item.values:
        lines.append(f"  if (text == {literal(value)}) {{\n    value = {kind}::{constant(value)};\n    return true;\n  }}")
    return lines + ["  return false;", "}"]


def define_struct(item):
    kind = item.scope + item.name
    argument = "settings" if item.members else "/*settings*/"
    lines = [f"{kind} {kind}::from_json(const Json& {argument}) {{", f"  {kind} out;"]
    lines += [f"  schema::read_member(settings, {json.dumps(key)}, out.{name});" for _, name, _, key, _ in item.members]
    return lines + ["  return out;", "}"]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connector", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    options = parser.parse_args(arguments)
    try:
        generator = Generator(options.connector.resolve())
    except Problem as problem:
        print(f"generate_settings.py: {problem}", file=sys.stderr)
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "settings.hpp").write_text(generator.header(), encoding="utf-8")
    (options.output / "settings.cpp").write_text(generator.source(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
