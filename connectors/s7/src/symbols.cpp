#include "connectors/s7/src/symbols.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "connectors/s7/src/address.hpp"
#include "connectors/s7/src/operation.hpp"
#include "connectors/s7/src/types.hpp"
#include "field/csv.hpp"
#include "field/text.hpp"

namespace tributary::connectors::s7 {
namespace {

constexpr std::size_t kMaxProblems = 100;
constexpr std::size_t kMaxName = 128;

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

std::string upper(std::string_view text) {
  std::string out = trimmed(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

// "Array[0..9] of Int", "String[20]", "Real".
struct Declared {
  std::optional<Type> type;
  std::int64_t length = 0;
  std::int64_t count = 1;
};

// The number in the brackets at the end of "STRING[20]".
std::int64_t in_brackets(std::string_view text) {
  std::int64_t value = 0;
  const auto open = text.find('[');
  if (open == std::string_view::npos || !text.ends_with(']')) return 0;
  const auto inner = text.substr(open + 1, text.size() - open - 2);
  const auto [end, error] = std::from_chars(inner.data(), inner.data() + inner.size(), value);
  return error == std::errc{} && end == inner.data() + inner.size() ? value : 0;
}

// "0..9" of "ARRAY[0..9] OF …".
std::int64_t range_size(std::string_view inner) {
  const auto dots = inner.find("..");
  if (dots == std::string_view::npos) return 0;
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto first = inner.substr(0, dots);
  const auto second = inner.substr(dots + 2);
  const bool numbers =
      std::from_chars(first.data(), first.data() + first.size(), low).ec == std::errc{} &&
      std::from_chars(second.data(), second.data() + second.size(), high).ec == std::errc{};
  constexpr std::int64_t kMost = 1 << 20;  // far beyond any memory, and safe to subtract
  if (!numbers || low < -kMost || high > kMost || high < low) return 0;
  return high - low + 1;
}

Declared parse_declared(std::string_view text) {
  std::string name = upper(text);
  std::erase(name, '"');
  Declared declared;
  constexpr std::string_view kOf = "OF";
  if (name.starts_with("ARRAY")) {
    const auto open = name.find('[');
    const auto close = name.find(']');
    const auto of = name.find(kOf, close == std::string::npos ? 0 : close);
    if (open == std::string::npos || close == std::string::npos || of == std::string::npos)
      return {};
    declared.count = range_size(std::string_view(name).substr(open + 1, close - open - 1));
    if (declared.count == 0) return {};
    name = trimmed(std::string_view(name).substr(of + kOf.size()));
  }
  declared.length = in_brackets(name);
  declared.type = parse_type(trimmed(std::string_view(name).substr(0, name.find('['))));
  return declared;
}

bool is_counted_type(std::string_view text) {
  const std::string name = upper(text);
  return name == "TIMER" || name == "COUNTER";
}

struct Symbol {
  std::string name;
  std::optional<Address> address;
  std::string type;
};

// Which cell is which, whatever the order: the address is what reads as one, the type is known by
// its name or its column, the name is the first.
Symbol read_row(const std::vector<std::string>& cells, std::optional<std::size_t> type_column) {
  Symbol symbol;
  if (type_column && *type_column < cells.size()) symbol.type = trimmed(cells[*type_column]);
  for (const std::string& cell : cells) {
    const std::string text = trimmed(cell);
    if (text.empty()) continue;
    // A name such as "M1" may read as an address: the first cell that is not empty is the name.
    if (symbol.name.empty()) {
      symbol.name = text;
      continue;
    }
    if (!symbol.address) {
      if (const auto address = parse_address(text)) {
        symbol.address = *address;
        continue;
      }
    }
    if (symbol.type.empty() && (parse_declared(text).type || is_counted_type(text)))
      symbol.type = text;
  }
  return symbol;
}

std::string unique(std::string name, std::set<std::string>& taken) {
  while (name.size() > kMaxName || (!name.empty() && !field::is_utf8(name))) name.pop_back();
  std::string tried = name;
  for (int i = 2; !taken.insert(tried).second; ++i) tried = fmt::format("{}_{}", name, i);
  return tried;
}

// Ranges mean something in the names of points, and $ marks the hub's own fields.
std::string safe(std::string name) {
  for (std::size_t at = name.find(".."); at != std::string::npos; at = name.find(".."))
    name.replace(at, 2, "_");
  if (name.starts_with('$')) name.front() = '_';
  return name;
}

// An error's sentence when the symbol is no point.
std::optional<std::string> add_point(const Symbol& symbol, std::set<std::string>& taken,
                                     Json& points) {
  if (!symbol.address)
    return "It has no address of a data block, merker, input, output, timer or counter.";
  Point point;
  point.name = safe(symbol.name);
  point.address = to_string(*symbol.address);
  Json json = json_object();
  if (!is_counted(symbol.address->area)) {
    const Declared declared = parse_declared(symbol.type);
    if (!symbol.type.empty() && !declared.type)
      return fmt::format("The data type {} is not known.", symbol.type);
    if (declared.type) {
      from_string(to_string(*declared.type), point.data_type.emplace());
      json["dataType"] = std::string(to_string(*declared.type));
    }
    const bool text = declared.type == Type::kString || declared.type == Type::kWstring;
    if (text && declared.length > 0) {
      point.length = declared.length;
      json["length"] = declared.length;
    }
    if (declared.count > 1) {
      point.count = declared.count;
      json["count"] = declared.count;
    }
  }
  if (const auto usable = resolve(point); !usable) return usable.error().message;
  Json whole = json_object();
  whole["name"] = unique(point.name, taken);
  whole["address"] = point.address;
  for (const auto& member : json.object_range()) whole[member.key()] = member.value();
  points.push_back(std::move(whole));
  return std::nullopt;
}

struct Heading {
  bool found = false;
  std::optional<std::size_t> type_column;
};
Heading read_heading(const std::vector<std::string>& cells) {
  constexpr std::string_view kType[] = {"DATA TYPE", "DATATYPE"};
  constexpr std::string_view kOthers[] = {"NAME",    "SYMBOL",          "PATH",
                                          "ADDRESS", "LOGICAL ADDRESS", "COMMENT"};
  Heading heading;
  std::size_t words = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = upper(cells[i]);
    if (std::ranges::find(kOthers, cell) != std::end(kOthers)) ++words;
    if (std::ranges::find(kType, cell) == std::end(kType)) continue;
    ++words;
    heading.type_column = i;
  }
  heading.found = words >= 2;
  return heading;
}

}  // namespace

field::PointImport import_symbols(std::string_view text) {
  field::PointImport result;
  // The tools of Windows write in its own code page.
  const std::string decoded =
      field::is_utf8(text) ? std::string(text) : field::latin1_to_utf8(text);
  field::CsvReader reader(decoded);
  std::set<std::string> taken;
  field::CsvRow row;
  std::optional<std::size_t> type_column;
  while (reader.next(row)) {
    const Heading heading = read_heading(row.cells);
    if (heading.found) {
      type_column = heading.type_column;
      continue;
    }
    const Symbol symbol = read_row(row.cells, type_column);
    if (symbol.name.empty()) continue;
    if (auto problem = add_point(symbol, taken, result.points); !problem) {
      result.lines.push_back(row.line);
    } else if (result.problems.size() < kMaxProblems) {
      result.problems.push_back({row.line, 0, {}, symbol.name + ": " + *problem});
    }
  }
  return result;
}

}  // namespace tributary::connectors::s7
