"""Which sources the compiler may take as one file."""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from batch_sources import batches, names_in  # noqa: E402

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


class Batches(unittest.TestCase):
    def test_a_batch_is_filled_to_its_size(self):
        sources = [(f"{number}.cpp", set()) for number in range(12)]
        self.assertEqual([len(batch) for batch in batches(sources, 5)], [5, 5, 2])

    def test_two_sources_with_one_private_name_are_kept_apart(self):
        sources = [("a.cpp", {"kSchema", "Row"}), ("b.cpp", {"kSchema"}), ("c.cpp", {"Row"}), ("d.cpp", set())]
        placed = {source: number for number, batch in enumerate(batches(sources, 5)) for source, _ in batch}
        self.assertNotEqual(placed["a.cpp"], placed["b.cpp"])
        self.assertNotEqual(placed["a.cpp"], placed["c.cpp"])
        self.assertEqual(placed["b.cpp"], placed["c.cpp"])
        self.assertEqual(placed["a.cpp"], placed["d.cpp"])

    def test_every_source_is_in_one_batch(self):
        sources = [(f"{number}.cpp", {f"name{number % 3}"}) for number in range(20)]
        placed = [source for batch in batches(sources, 4) for source, _ in batch]
        self.assertEqual(sorted(placed), sorted(source for source, _ in sources))


if __name__ == "__main__":
    unittest.main()
