"""Reads the settings schemas of a connector and refuses what docs/settings-schemas.md does not list.

Shared by generate_settings.py and generate_docs.py. A problem names the file and the JSON pointer.
"""
import json
import pathlib
import re

ANNOTATIONS = {"title", "description", "examples", "default", "$comment",
               "x-secret", "x-unit", "x-group", "x-enumTitles", "x-showWhen", "x-widget", "x-placeholder", "x-bind", "x-key",
               "x-certificates"}
ASSERTIONS = {"type", "properties", "required", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "minLength",
              "maxLength", "pattern", "format", "items", "minItems", "maxItems", "uniqueItems", "additionalProperties",
              "$ref", "if", "then", "else", "allOf", "dependentRequired"}
ROOT_ONLY = {"$schema", "$id", "$defs", "x-groups", "x-function", "x-kind", "x-polled", "x-idempotent", "x-batch"}
TYPES = ("array", "boolean", "integer", "number", "object", "string")
FORMATS = ("hostname", "uri")
KINDS = ("browse", "command", "read", "subscribe", "write")
WIDGETS = ("code", "json", "map", "points", "textarea")
PROPERTY_NAME = re.compile(r"^[a-z][A-Za-z0-9]*$")
FOLDER_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
MAX_DEPTH = 32


class Problem(Exception):
    """Something a developer has to put right; its text is all they see."""


def escape(token):
    return str(token).replace("~", "~0").replace("/", "~1")


class SchemaFile:
    """One checked schema file."""

    def __init__(self, path, is_function):
        self.path = pathlib.Path(path)
        self.is_function = is_function
        self.root = load_json(self.path)
        self._check_root()

    def problem(self, pointer, text):
        return Problem(f"{self.path}: {pointer or '/'}: {text}")

    def definitions(self):
        return self.root.get("$defs", {})

    def resolve(self, schema, pointer):
        """Follows $ref. Returns (name of the definition or None, the schema with the reference's own annotations)."""
        reference = schema.get("$ref")
        if reference is None:
            return None, schema
        name = reference.removeprefix("#/$defs/") if isinstance(reference, str) else ""
        if not name or name == reference or "/" in name:
            raise self.problem(f"{pointer}/$ref", f'"{reference}": only "#/$defs/name" is used')
        if name not in self.definitions():
            raise self.problem(f"{pointer}/$ref", f'"{reference}": there is no such definition')
        target = self.definitions()[name]
        if "$ref" in target:
            raise self.problem(f"/$defs/{escape(name)}/$ref", "a definition may not be a reference to another one")
        return name, {**target, **{key: value for key, value in schema.items() if key != "$ref"}}

    # Checks

    def _check_root(self):
        root = self.root
        if not isinstance(root, dict):
            raise self.problem("", "a schema is a JSON object")
        if root.get("type") != "object":
            raise self.problem("/type", 'settings are an object: "type": "object"')
        for number, group in enumerate(root.get("x-groups", [])):
            if not isinstance(group, dict) or not {"id", "title"} <= group.keys() <= {"id", "title", "collapsed", "description"}:
                raise self.problem(f"/x-groups/{number}", 'a group is {"id", "title", "collapsed"?, "description"?}')
        self.groups = [group["id"] for group in root.get("x-groups", [])]
        if self.is_function:
            for key in ("x-function", "title", "description"):
                if not isinstance(root.get(key), str) or not root[key]:
                    raise self.problem(f"/{key}", "missing: every function schema has x-function, x-kind, title and description")
            if root.get("x-kind") not in KINDS:
                raise self.problem("/x-kind", f"must be one of {', '.join(KINDS)}")
        for name, definition in self.definitions().items():
            self._check(definition, f"/$defs/{escape(name)}", 1)
        self._check({key: value for key, value in root.items() if key not in ROOT_ONLY}, "", 0)
        for name, definition in self.definitions().items():
            self._check_recursion(definition, f"/$defs/{escape(name)}", [name])

    def _check_recursion(self, schema, pointer, path):
        name = self.resolve(schema, pointer)[0]
        if name is not None:
            if name in path:
                raise self.problem(pointer, f'the definition "{name}" contains itself')
            self._check_recursion(self.definitions()[name], f"/$defs/{escape(name)}", path + [name])
        for key, child in schema.get("properties", {}).items():
            self._check_recursion(child, f"{pointer}/properties/{escape(key)}", path)
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                self._check_recursion(schema[key], f"{pointer}/{key}", path)

    def _check(self, schema, pointer, depth, branch=False):
        if not isinstance(schema, dict):
            raise self.problem(pointer, "a schema is a JSON object here")
        if depth > MAX_DEPTH:
            raise self.problem(pointer, f"nested deeper than {MAX_DEPTH}")
        for key in schema:
            if key in ROOT_ONLY:
                raise self.problem(f"{pointer}/{escape(key)}", "only at the root of the file")
            if key not in ANNOTATIONS | ASSERTIONS:
                raise self.problem(f"{pointer}/{escape(key)}",
                                   "is not part of the subset that settings use (docs/settings-schemas.md)")
        self._check_keywords(schema, pointer)
        resolved = self.resolve(schema, pointer)[1]
        self._check_properties(schema, resolved, pointer, depth, branch)
        for key in ("items", "additionalProperties"):
            child = schema.get(key)
            if isinstance(child, dict):
                self._check(child, f"{pointer}/{key}", depth + 1, branch)
            elif child is not None and not (key == "additionalProperties" and isinstance(child, bool)):
                raise self.problem(f"{pointer}/{key}", "must be a schema")
        if not branch:
            self._check_default(schema, resolved, pointer)
            self._check_members(resolved, pointer)
        for where, each in branches_of(schema):
            self._check(each, f"{pointer}/{where}", depth + 1, branch=True)
            if not branch:
                self._check_branch_names(each, resolved.get("properties", {}), f"{pointer}/{where}")

    def _check_keywords(self, schema, pointer):
        if "type" in schema and schema["type"] not in TYPES:
            raise self.problem(f"{pointer}/type", f'{json.dumps(schema["type"])}: must be one of {", ".join(TYPES)}; '
                               "leave it out where any value is right")
        if "format" in schema and schema["format"] not in FORMATS:
            raise self.problem(f"{pointer}/format", f'"{schema["format"]}": must be one of {", ".join(FORMATS)}')
        if "enum" in schema and (not isinstance(schema["enum"], list) or not schema["enum"]):
            raise self.problem(f"{pointer}/enum", "must be a list with at least one value")
        if "pattern" in schema:
            try:
                re.compile(schema["pattern"])
            except (re.error, TypeError) as error:
                raise self.problem(f"{pointer}/pattern", f"is not a regular expression: {error}") from error
        if "x-widget" in schema and schema["x-widget"] not in WIDGETS:
            raise self.problem(f"{pointer}/x-widget", f'"{schema["x-widget"]}": must be one of {", ".join(WIDGETS)}')
        if "x-group" in schema and schema["x-group"] not in self.groups:
            raise self.problem(f"{pointer}/x-group", f'"{schema["x-group"]}": x-groups does not have it')
        for value in schema.get("x-enumTitles", {}):
            if value not in [text_of(each) for each in schema.get("enum", [])]:
                raise self.problem(f"{pointer}/x-enumTitles/{escape(value)}", "enum does not have this value")

    def _check_properties(self, schema, resolved, pointer, depth, branch):
        for name, child in schema.get("properties", {}).items():
            at = f"{pointer}/properties/{escape(name)}"
            if not PROPERTY_NAME.match(name):
                raise self.problem(at, "names of settings are camelCase: letters and digits, the first a small letter")
            self._check(child, at, depth + 1, branch)
            if child.get("x-secret") and (depth > 0 or branch or self.is_function or child.get("type") != "string"):
                raise self.problem(f"{at}/x-secret", "a secret is a string at the top level of connection.schema.json")
            if "x-certificates" in child and (self.is_function or child.get("type") != "string"
                                              or child["x-certificates"] not in ("trusted", "own", "application")):
                raise self.problem(f"{at}/x-certificates", '"trusted", "own" or "application", at a string of connection.schema.json')
            if child.get("x-bind") and (depth > 0 or branch or not self.is_function or child.get("type") != "string"):
                raise self.problem(f"{at}/x-bind", "stands at a string at the top level of a function schema")
            condition = child.get("x-showWhen")
            if condition is None:
                continue
            if not isinstance(condition, dict) or set(condition) != {"property", "in"} or not isinstance(condition["in"], list):
                raise self.problem(f"{at}/x-showWhen", 'must be {"property": name, "in": [values]}')
            decider = resolved.get("properties", {}).get(condition["property"])
            if decider is None:
                raise self.problem(f"{at}/x-showWhen/property", f'there is no property "{condition["property"]}" beside it')
            allowed = self.resolve(decider, at)[1].get("enum")
            for value in condition["in"]:
                if allowed is not None and value not in allowed:
                    raise self.problem(f"{at}/x-showWhen/in", f'"{condition["property"]}" is never {json.dumps(value)}')

    def _check_members(self, schema, pointer):
        """Names in required, dependentRequired and x-key exist."""
        properties = schema.get("properties", {})
        named = [("required", schema.get("required", []))]
        named += [(f"dependentRequired/{escape(key)}", [key, *values])
                  for key, values in schema.get("dependentRequired", {}).items()]
        for where, names in named:
            for name in names:
                if name not in properties:
                    raise self.problem(f"{pointer}/{where}", f'there is no property "{name}"')
        if "x-key" in schema:
            items = self.resolve(schema.get("items", {}), f"{pointer}/items")[1]
            if schema["x-key"] not in items.get("properties", {}):
                raise self.problem(f"{pointer}/x-key", f'the items have no property "{schema["x-key"]}"')

    def _check_branch_names(self, branch, known, pointer):
        """A condition may only speak of properties that exist."""
        for name in [*branch.get("properties", {}), *branch.get("required", [])]:
            if name not in known:
                raise self.problem(pointer, f'speaks of "{name}", which is not among the properties')
        for where, each in branches_of(branch):
            self._check_branch_names(each, known, f"{pointer}/{where}")

    def _check_default(self, schema, resolved, pointer):
        if "default" not in schema:
            return
        wrong = default_problem(schema["default"], resolved)
        if wrong:
            raise self.problem(f"{pointer}/default", f"{json.dumps(schema['default'])} {wrong}")


def branches_of(schema):
    """(pointer, schema) of everything that applies to the same value under a condition."""
    return ([(key, schema[key]) for key in ("if", "then", "else") if key in schema]
            + [(f"allOf/{number}", each) for number, each in enumerate(schema.get("allOf", []))])


def default_problem(value, schema):
    """Why a default could not be valid; None when nothing speaks against it."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool}
    wanted = schema.get("type")
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted in kinds and not isinstance(value, kinds[wanted]):
        return f"is not of type {wanted}"
    if wanted in ("integer", "number") and (not number or (wanted == "integer" and value != int(value))):
        return f"is not of type {wanted}"
    if "enum" in schema and value not in schema["enum"]:
        return "is not one of the values of enum"
    if number and "minimum" in schema and value < schema["minimum"]:
        return f"is below {schema['minimum']}"
    if number and "maximum" in schema and value > schema["maximum"]:
        return f"is above {schema['maximum']}"
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return f"is shorter than {schema['minLength']}"
    return None


def text_of(value):
    return value if isinstance(value, str) else json.dumps(value)


def no_duplicates(pairs):
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise Problem(f'the member "{name}" is there twice')
    return dict(pairs)


def load_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=no_duplicates)
    except OSError as error:
        raise Problem(f"{path}: cannot be read: {error.strerror}") from error
    except Problem as problem:
        raise Problem(f"{path}: {problem}") from problem
    except ValueError as error:
        raise Problem(f"{path}: is not JSON: {error}") from error


def load_connector(folder):
    """(connection schema, [(function file's name, schema)]) of a connector's folder."""
    if not FOLDER_NAME.match(folder.name):
        raise Problem(f"{folder}: a connector's folder is named like a C++ namespace: small letters, digits, _")
    connection = SchemaFile(folder / "connection.schema.json", is_function=False)
    functions = []
    for path in sorted((folder / "functions").glob("*.schema.json")):
        name = path.name.removesuffix(".schema.json")
        if not PROPERTY_NAME.match(name):
            raise Problem(f"{path}: the name of a function's file is camelCase: letters and digits, the first a small letter")
        schema = SchemaFile(path, is_function=True)
        if schema.root["x-function"] != f"{folder.name}.{name}":
            raise schema.problem("/x-function", f'must be "{folder.name}.{name}", after the folder and the file')
        functions.append((name, schema))
    return connection, functions
