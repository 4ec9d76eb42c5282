"""Which sources the compiler may take as one file."""
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from batch_sources import Reader, Source, batches, names_in  # noqa: E402

SOURCE = """
#include "a.hpp"

#define SHOUT(text) text

namespace tributary {
namespace {

constexpr std::string_view kSchema = R"({"type": "object"})";
const std::map<std::string, int> kCodes{{"a", 1}};
std::vector<int> seen;

struct Row {
  int number;
};
using Rows = std::vector<Row>;
using std::chrono::seconds;
using namespace testing_support;
template <typename T>
std::unexpected<std::variant<Error, Invalid>> refused(T error) {
  int local = 1;
  return std::unexpected(error);
}

}  // namespace

Task<Result<void>> Manager::start(std::string id) {
  co_return {};
}

TEST(Suite, Case) {
  EXPECT_TRUE(true);
}

}  // namespace tributary
"""


class Names(unittest.TestCase):
    def test_what_a_namespace_holds_is_found_and_what_a_function_holds_is_not(self):
        names = names_in(SOURCE)
        for name in ("SHOUT", "kSchema", "kCodes", "seen", "Row", "Rows", "refused"):
            self.assertIn(name, names)
        for name in ("local", "number", "tributary", "TEST", "Case", "EXPECT_TRUE", "std", "seconds", "testing_support"):
            self.assertNotIn(name, names)


def source(path, defines=(), sees=()):
    return Source(path, frozenset(defines), frozenset(sees))


def placed(sources, size):
    return {entry.path: number for number, batch in enumerate(batches(sources, size)) for entry in batch}


class Batches(unittest.TestCase):
    def test_a_batch_is_filled_to_its_size(self):
        sources = [source(f"{number}.cpp") for number in range(12)]
        self.assertEqual([len(batch) for batch in batches(sources, 5)], [5, 5, 2])

    def test_two_sources_with_one_private_name_are_kept_apart(self):
        place = placed([source("a.cpp", ["kSchema", "Row"]), source("b.cpp", ["kSchema"]), source("c.cpp", ["Row"]),
                        source("d.cpp")], 5)
        self.assertNotEqual(place["a.cpp"], place["b.cpp"])
        self.assertNotEqual(place["a.cpp"], place["c.cpp"])
        self.assertEqual(place["b.cpp"], place["c.cpp"])
        self.assertEqual(place["a.cpp"], place["d.cpp"])

    def test_a_private_name_stays_away_from_headers_that_use_it(self):
        place = placed([source("a.cpp", ["Outcome"]), source("b.cpp", [], ["Outcome"]), source("c.cpp")], 5)
        self.assertNotEqual(place["a.cpp"], place["b.cpp"])
        place = placed([source("b.cpp", [], ["Outcome"]), source("a.cpp", ["Outcome"])], 5)
        self.assertNotEqual(place["a.cpp"], place["b.cpp"])

    def test_every_source_is_in_one_batch(self):
        sources = [source(f"{number}.cpp", [f"name{number % 3}"]) for number in range(20)]
        paths = [entry.path for batch in batches(sources, 4) for entry in batch]
        self.assertEqual(sorted(paths), sorted(entry.path for entry in sources))


class Headers(unittest.TestCase):
    def test_what_headers_define_is_seen_through_others(self):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "engine").mkdir()
            (root / "engine" / "engine.hpp").write_text("using Outcome = int;\n")
            (root / "engine" / "support.hpp").write_text('#include "engine/engine.hpp"\n#include "support.hpp"\nstruct Support {\n')
            (root / "engine" / "a.cpp").write_text('#include "support.hpp"\n#include "generated.hpp"\nint mine = 1;\n')
            read = Reader([root]).source(root / "engine" / "a.cpp")
        self.assertEqual(read.defines, {"mine"})
        self.assertEqual(read.sees, {"Outcome", "Support"})


if __name__ == "__main__":
    unittest.main()
