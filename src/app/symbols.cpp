#include "connectors/s7/src/symbols.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "app/command.hpp"
#include "app/exit_codes.hpp"
#include "connectors/s7/resources.hpp"
#include "field/point_list.hpp"

namespace tributary::app {
namespace {

// A project's table has some thousand lines.
constexpr std::size_t kLargestFile = 16U << 20;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.is_open() && !file.bad() && text.size() <= kLargestFile) return text;
  return fail(
      ErrorClass::kConfiguration, "file_unreadable",
      fmt::format("{} cannot be read, or is larger than {} MiB.", path, kLargestFile >> 20));
}

// The list of points of s7.read; s7.subscribe and s7.write have the same.
Result<field::PointSchema> s7_points() {
  for (const std::string_view text : connectors::s7::resources().function_schemas) {
    auto schema = parse_json(text);
    TRIBUTARY_TRY(schema);
    if (get_string(*schema, "x-function") == "s7.read") return field::find_points(*schema);
  }
  return fail(ErrorClass::kInternal, "no_points", "The S7 connector has no list of points.");
}

int symbols(const Arguments& arguments) {
  if (arguments.words().empty()) return report(usage_error("Say which file holds the symbols."));
  const auto text = read_file(arguments.words().front());
  if (!text) return report(text.error());
  const auto schema = s7_points();
  if (!schema) return report(schema.error());
  const auto imported = connectors::s7::import_symbols(*text);
  for (const auto& problem : imported.problems)
    fmt::print(stderr, "line {}: {}\n", problem.line, problem.message);
  fmt::print("{}", field::to_csv(imported.points, *schema));
  if (!imported.points.empty()) return kOk;
  return report(Error{ErrorClass::kConfiguration, "no_points",
                      "Nothing in this file is a symbol with an address.",
                      "Export the symbol table as SDF, or the tag table as SDF or CSV."});
}

}  // namespace

const Command kSymbolsCommand{
    "symbols",
    "FILE",
    "Turn the symbols of an S7 project into a list of points.",
    "Reads a symbol table of STEP 7 (SDF, SEQ) or a tag table of TIA Portal (SDF, or its sheet as\n"
    "CSV) and prints a list of points for the functions of Siemens S7 as CSV. Lines that stand "
    "for\n"
    "no point are named on standard error.",
    {},
    1,
    symbols};

}  // namespace tributary::app
