"""What the generators refuse, and with which words."""
import contextlib
import gzip
import io
import json
import pathlib
import shutil
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import embed_files  # noqa: E402
import generate_docs  # noqa: E402
import generate_settings  # noqa: E402

FIXTURE = HERE / "fixture" / "demo"


class Folder(unittest.TestCase):
    """A copy of the fixture connector that a test may spoil."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.root = pathlib.Path(self.temporary.name)
        self.folder = self.root / "demo"
        shutil.copytree(FIXTURE, self.folder)
        self.output = self.root / "out"

    def run_tool(self, tool, *arguments):
        """(exit code, what it wrote to stderr)"""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            code = tool.main([str(argument) for argument in arguments])
        return code, errors.getvalue()

    def change(self, file, pointer, value):
        """Sets (or, with None, removes) one member of a JSON file."""
        path = self.folder / file
        document = json.loads(path.read_text(encoding="utf-8"))
        *parents, last = pointer.removeprefix("/").split("/")
        place = document
        for token in parents:
            place = place[int(token)] if isinstance(place, list) else place[token]
        if value is None:
            del place[last]
        else:
            place[last] = value
        path.write_text(json.dumps(document), encoding="utf-8")

    def refusal(self):
        code, errors = self.run_tool(generate_settings, "--connector", self.folder, "--output", self.output)
        self.assertEqual(code, 1, "the generator took it")
        self.assertFalse(self.output.exists(), "nothing is written when something is wrong")
        return errors.replace(str(self.folder) + "/", "").strip()


class Refusals(Folder):
    CASES = [
        ("connection.schema.json", "/properties/port/multipleOf", 2,
         "connection.schema.json: /properties/port/multipleOf: is not part of the subset"),
        ("connection.schema.json", "/properties/port/type", ["integer", "null"],
         'connection.schema.json: /properties/port/type: ["integer", "null"]: must be one of array, boolean'),
        ("connection.schema.json", "/properties/port/default", 70000,
         "connection.schema.json: /properties/port/default: 70000 is above 65535"),
        ("connection.schema.json", "/properties/port/default", "502",
         'connection.schema.json: /properties/port/default: "502" is not of type integer'),
        ("connection.schema.json", "/properties/transport/default", "udp",
         'connection.schema.json: /properties/transport/default: "udp" is not one of the values of enum'),
        ("connection.schema.json", "/properties/transport/x-group", "colours",
         'connection.schema.json: /properties/transport/x-group: "colours": x-groups does not have it'),
        ("connection.schema.json", "/properties/transport/x-enumTitles", {"udp": "UDP"},
         "connection.schema.json: /properties/transport/x-enumTitles/udp: enum does not have this value"),
        ("connection.schema.json", "/properties/host/x-showWhen", {"property": "colour", "in": ["red"]},
         'connection.schema.json: /properties/host/x-showWhen/property: there is no property "colour"'),
        ("connection.schema.json", "/properties/host/x-showWhen", {"property": "transport", "in": ["udp"]},
         'connection.schema.json: /properties/host/x-showWhen/in: "transport" is never "udp"'),
        ("connection.schema.json", "/properties/host/format", "email",
         'connection.schema.json: /properties/host/format: "email": must be one of hostname, uri'),
        ("connection.schema.json", "/properties/note/pattern", "(",
         "connection.schema.json: /properties/note/pattern: is not a regular expression"),
        ("connection.schema.json", "/properties/unit_id", {"type": "integer"},
         "connection.schema.json: /properties/unit_id: names of settings are camelCase"),
        ("connection.schema.json", "/properties/tls/properties/secret", {"type": "string", "x-secret": True},
         "connection.schema.json: /properties/tls/properties/secret/x-secret: a secret is a string at the top level"),
        ("connection.schema.json", "/required", ["pasword"],
         'connection.schema.json: /required: there is no property "pasword"'),
        ("connection.schema.json", "/allOf/0/then/required", ["hots"],
         'connection.schema.json: /allOf/0/then: speaks of "hots"'),
        ("connection.schema.json", "/properties/tls/additionalProperties", True,
         "connection.schema.json: /properties/tls/additionalProperties: an object has either named properties or free ones"),
        ("connection.schema.json", "/properties/version/enum", ["5.0", "5_0"],
         "connection.schema.json: /properties/version/enum: two values would be called k5_0"),
        ("functions/read.schema.json", "/x-kind", "get",
         "functions/read.schema.json: /x-kind: must be one of browse, command, read, subscribe, write"),
        ("functions/read.schema.json", "/x-function", "demo.get",
         'functions/read.schema.json: /x-function: must be "demo.read", after the folder and the file'),
        ("functions/read.schema.json", "/description", None,
         "functions/read.schema.json: /description: missing"),
        ("functions/read.schema.json", "/properties/points/x-key", "nmae",
         'functions/read.schema.json: /properties/points/x-key: the items have no property "nmae"'),
        ("functions/read.schema.json", "/properties/points/items", {"$ref": "#/$defs/pont"},
         'functions/read.schema.json: /properties/points/items/$ref: "#/$defs/pont": there is no such definition'),
        ("functions/read.schema.json", "/$defs/point/properties/inner", {"$ref": "#/$defs/point"},
         'functions/read.schema.json: /$defs/point/properties/inner: the definition "point" contains itself'),
        ("functions/write.schema.json", "/$defs/point/properties/scale", {"type": "integer"},
         "functions/write.schema.json: /$defs/point: differs from the definition of the same name in functions/read.schema.json"),
    ]

    def test_every_slip_is_named_with_file_and_pointer(self):
        for file, pointer, value, expected in self.CASES:
            with self.subTest(pointer=pointer, value=value):
                original = (self.folder / file).read_text(encoding="utf-8")
                try:
                    self.change(file, pointer, value)
                    self.assertIn(f"generate_settings.py: {expected}", self.refusal())
                finally:
                    (self.folder / file).write_text(original, encoding="utf-8")

    def test_broken_json(self):
        (self.folder / "connection.schema.json").write_text("{", encoding="utf-8")
        self.assertIn("connection.schema.json: is not JSON", self.refusal())

    def test_a_member_twice(self):
        (self.folder / "connection.schema.json").write_text('{"type": "object", "type": "object"}', encoding="utf-8")
        self.assertIn('connection.schema.json: the member "type" is there twice', self.refusal())

    def test_missing_file(self):
        (self.folder / "connection.schema.json").unlink()
        self.assertIn("connection.schema.json: cannot be read", self.refusal())


class Names(unittest.TestCase):
    def test_members(self):
        for name, expected in {"requestTimeoutMs": "request_timeout_ms", "tlsCA": "tls_ca", "register": "register_",
                               "host": "host", "utf8Text": "utf8_text"}.items():
            self.assertEqual(generate_settings.snake(name), expected)

    def test_items(self):
        for name, expected in {"points": "point", "properties": "property", "addresses": "address", "boxes": "box",
                               "data": "dataItem", "access": "accessItem"}.items():
            self.assertEqual(generate_settings.singular(name), expected)

    def test_constants(self):
        for value, expected in {"holdingRegisters": "kHoldingRegisters", "3.1.1": "k3_1_1", "": "kEmpty", "a-b": "kAB",
                                "AES-256": "kAES256"}.items():
            self.assertEqual(generate_settings.constant(value), expected)


class Embedding(Folder):
    def test_web_files_become_a_table(self):
        dist = self.root / "dist"
        (dist / "assets").mkdir(parents=True)
        (dist / "index.html").write_text("<p>" + "a" * 2000, encoding="utf-8")
        (dist / "assets" / "x-1234.js").write_text("1", encoding="utf-8")
        (dist / "logo.png").write_bytes(b"\x89PNG" + bytes(500))
        self.assertEqual(self.run_tool(embed_files, "--web", dist, "--output", self.output)[0], 0)
        table = (self.output / "web_assets.cpp").read_text(encoding="utf-8")
        self.assertLess(table.index('"/assets/x-1234.js"'), table.index('"/index.html"'))
        self.assertIn('"text/javascript; charset=utf-8"', table)
        packed = list((self.output / "web").glob("*.gz"))
        self.assertEqual(len(packed), 1, "the page; the script would not get smaller and images are compressed already")
        self.assertEqual(gzip.decompress(packed[0].read_bytes()), (dist / "index.html").read_bytes())

    def test_without_web_files_the_table_is_empty(self):
        self.assertEqual(self.run_tool(embed_files, "--web", self.root / "none", "--output", self.output)[0], 0)
        self.assertIn("web_assets() { return {}; }", (self.output / "web_assets.cpp").read_text(encoding="utf-8"))

    def test_the_same_files_give_the_same_output(self):
        first, second = self.root / "first", self.root / "second"
        for output in (first, second):
            self.run_tool(embed_files, "--connector", self.folder, "--output", output)
        for name in ("resources.S", "resources.cpp", "resources.hpp"):
            self.assertEqual((first / name).read_bytes(), (second / name).read_bytes())

    def test_changed_content_changes_the_assembly(self):
        self.run_tool(embed_files, "--connector", self.folder, "--output", self.output)
        before = (self.output / "resources.S").read_text(encoding="utf-8")
        (self.folder / "guide.md").write_text("# Other\n", encoding="utf-8")
        self.run_tool(embed_files, "--connector", self.folder, "--output", self.output)
        self.assertNotEqual(before, (self.output / "resources.S").read_text(encoding="utf-8"))

    def test_a_missing_guide_is_named(self):
        (self.folder / "guide.md").unlink()
        code, errors = self.run_tool(embed_files, "--connector", self.folder, "--output", self.output)
        self.assertEqual(code, 1)
        self.assertIn("guide.md: missing", errors)


class Docs(Folder):
    def generate(self, *extra):
        return self.run_tool(generate_docs, "--connectors", self.root, *extra)

    def test_tables_are_filled_in_and_then_checked(self):
        code, errors = self.generate("--check")
        self.assertEqual(code, 1)
        self.assertIn("guide.md: the settings tables are not what the schemas say; run tools/generate_docs.py", errors)
        self.assertEqual(self.generate()[0], 0)
        self.assertEqual(self.generate("--check"), (0, ""))
        guide = (self.folder / "guide.md").read_text(encoding="utf-8")
        self.assertIn("| `requestTimeoutMs` | whole number | `2000` | 10 to 600000 | ms | Longest wait for one answer. |", guide)
        self.assertIn("| `points[].address` | whole number | required | 0 to 65535 |", guide)
        self.assertIn("Not with `transport` `rtu`.", guide)
        self.assertIn("| `password` | secret | required |", guide)

    def test_a_changed_default_is_drift(self):
        self.generate()
        self.change("connection.schema.json", "/properties/port/default", 503)
        code, errors = self.generate("--check")
        self.assertEqual(code, 1)
        self.assertIn("| `port`", errors)

    def test_text_outside_the_regions_is_kept(self):
        guide = self.folder / "guide.md"
        guide.write_text("before\n" + guide.read_text(encoding="utf-8") + "after\n", encoding="utf-8")
        self.generate()
        text = guide.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))

    def test_a_missing_marker_is_named(self):
        guide = self.folder / "guide.md"
        original = guide.read_text(encoding="utf-8")
        for marker in ("settings:begin", "function:demo.read:end"):
            guide.write_text(original.replace(f"<!-- {marker} -->\n", ""), encoding="utf-8")
            code, errors = self.generate()
            self.assertEqual(code, 1)
            self.assertIn(f"<!-- {marker} -->", errors)

    def test_markers_of_unknown_functions_are_refused(self):
        guide = self.folder / "guide.md"
        guide.write_text(guide.read_text(encoding="utf-8") + "<!-- function:demo.fly:begin -->\n<!-- function:demo.fly:end -->\n",
                         encoding="utf-8")
        code, errors = self.generate()
        self.assertEqual(code, 1)
        self.assertIn("demo.fly", errors)


if __name__ == "__main__":
    unittest.main()
