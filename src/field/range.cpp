#include "field/range.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace tributary::field {
namespace {

// Far above what counts anything in a plant, and nothing here overflows.
constexpr std::size_t kMaxDigits = 9;

struct Range {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t step = 1;
  std::size_t width = 0;  // zeros are put in front up to this many digits
  bool brackets = false;

  std::size_t count() const { return (from <= to ? to - from : from - to) / step + 1; }
  std::string text(std::size_t index) const {
    const auto moved = static_cast<std::uint32_t>(index) * step;
    const std::string number =
        fmt::format("{:0{}}", from <= to ? from + moved : from - moved, width);
    return brackets ? "[" + number + "]" : number;
  }
};

// A text and the range behind it; the last one has none.
struct Part {
  std::string text;
  std::optional<Range> range;
};

std::unexpected<Error> bad_range(std::string_view range) {
  return fail(ErrorClass::kFunction, "bad_range",
              fmt::format("{} is not a range of numbers.", range),
              "A range is [first..last] or {first..last..step}: whole numbers of up to 9 digits, "
              "the step at least 1.");
}

std::optional<std::uint32_t> number(std::string_view text) {
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// `inside` is what stands between the brackets and holds "..".
std::optional<Range> parse_range(std::string_view inside, bool brackets) {
  const std::size_t dots = inside.find("..");
  const std::string_view first = inside.substr(0, dots);
  std::string_view last = inside.substr(dots + 2);
  Range range;
  range.brackets = brackets;
  if (const std::size_t more = last.find(".."); more != std::string_view::npos) {
    const auto step = number(last.substr(more + 2));
    if (!step || *step == 0) return std::nullopt;
    range.step = *step;
    last = last.substr(0, more);
  }
  const auto from = number(first);
  const auto to = number(last);
  if (!from || !to) return std::nullopt;
  range.from = *from;
  range.to = *to;
  const auto padded = [](std::string_view text) { return text.size() > 1 && text.front() == '0'; };
  if (padded(first) || padded(last)) range.width = std::max(first.size(), last.size());
  return range;
}

Result<std::vector<Part>> parse(std::string_view pattern) {
  std::vector<Part> parts(1);
  for (std::size_t at = 0; at < pattern.size();) {
    const char open = pattern[at];
    const bool opens = open == '[' || open == '{';
    const std::size_t close = opens ? pattern.find(open == '[' ? ']' : '}', at) : std::string::npos;
    const std::string_view inside =
        close == std::string::npos ? "" : pattern.substr(at + 1, close - at - 1);
    if (inside.find("..") == std::string_view::npos) {
      parts.back().text.push_back(pattern[at++]);
      continue;
    }
    const auto range = parse_range(inside, open == '[');
    if (!range) return bad_range(pattern.substr(at, close - at + 1));
    parts.back().range = *range;
    parts.emplace_back();
    at = close + 1;
  }
  return parts;
}

}  // namespace

Result<std::vector<std::string>> expand_ranges(std::string_view pattern, std::size_t most) {
  const auto parts = parse(pattern);
  if (!parts) return std::unexpected(parts.error());
  std::size_t count = 1;
  for (const Part& part : *parts) {
    if (!part.range) continue;
    const std::size_t here = part.range->count();
    if (here > most / count) {
      return fail(ErrorClass::kFunction, "too_many",
                  fmt::format("{} stands for more than {} names.", pattern, most));
    }
    count *= here;
  }
  std::vector<std::string> names(count);
  // How many names in a row have the same number of this range.
  std::size_t run = count;
  for (const Part& part : *parts) {
    const std::size_t here = part.range ? part.range->count() : 1;
    run /= here;
    for (std::size_t i = 0; i < count; ++i) {
      names[i] += part.text;
      if (part.range) names[i] += part.range->text(i / run % here);
    }
  }
  return names;
}

}  // namespace tributary::field
