#include "tests/support/fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

namespace tributary::test {

namespace {

// Enough for a day in milliseconds and for any stream of a test; far from overflow.
constexpr std::uint64_t kLargestNumber = 1'000'000'000;

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = line.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(kBlank), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::optional<std::uint64_t> number(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size() || value > kLargestNumber) return {};
  return value;
}

std::optional<Side> side(std::string_view word) {
  if (word == "client") return Side::kClient;
  if (word == "server") return Side::kServer;
  return {};
}

enum class Takes : std::uint8_t { kNothing, kNumber, kSideAndNumber };
struct Word {
  std::string_view name;
  Fault::Kind kind;
  Takes takes;
};
constexpr std::array kFaults = {
    Word{"pass", Fault::Kind::kPass, Takes::kNothing},
    Word{"delay", Fault::Kind::kDelay, Takes::kNumber},
    Word{"rate", Fault::Kind::kRate, Takes::kNumber},
    Word{"slice", Fault::Kind::kSlice, Takes::kNothing},
    Word{"corrupt", Fault::Kind::kCorrupt, Takes::kSideAndNumber},
    Word{"stall", Fault::Kind::kStall, Takes::kNothing},
    Word{"stall-after", Fault::Kind::kStallAfter, Takes::kSideAndNumber},
    Word{"cut-after", Fault::Kind::kCutAfter, Takes::kSideAndNumber},
    Word{"mute", Fault::Kind::kMute, Takes::kNothing},
    Word{"drop", Fault::Kind::kDrop, Takes::kNothing},
    Word{"refuse", Fault::Kind::kRefuse, Takes::kNothing},
};

std::optional<Order> parse_fault(const Word& word, std::vector<std::string_view> arguments) {
  Fault fault{.kind = word.kind};
  if (word.takes == Takes::kSideAndNumber) {
    const auto whose = arguments.empty() ? std::nullopt : side(arguments.front());
    if (!whose) return {};
    fault.side = *whose;
    arguments.erase(arguments.begin());
  }
  if (word.takes != Takes::kNothing) {
    const auto value = arguments.empty() ? std::nullopt : number(arguments.front());
    if (!value) return {};
    // A rate of nothing would be a stall that hides behind another name.
    if (fault.kind == Fault::Kind::kRate && *value == 0) return {};
    fault.count = *value;
    fault.delay = std::chrono::milliseconds{*value};
    arguments.erase(arguments.begin());
  }
  if (!arguments.empty()) return {};
  return fault;
}

}  // namespace

std::optional<Order> parse_order(std::string_view line) {
  auto words = words_of(line);
  if (words.empty()) return {};
  const auto name = words.front();
  words.erase(words.begin());
  if (name == "stats" && words.empty()) return AskStats{};
  if (name == "cut" && words.size() == 1) {
    if (words[0] != "rst" && words[0] != "fin") return {};
    return Cut{words[0] == "rst"};
  }
  const auto* word = std::ranges::find(kFaults, name, &Word::name);
  return word == kFaults.end() ? std::nullopt : parse_fault(*word, std::move(words));
}

}  // namespace tributary::test
