#include "connectors/mqtt/src/topic.hpp"

#include <fmt/format.h>

#include "connectors/mqtt/src/message.hpp"

namespace tributary::connectors::mqtt {
namespace {

constexpr std::size_t kMaxTopicBytes = 65535;
constexpr std::string_view kShare = "$share/";

std::unexpected<Error> bad(std::string_view code, std::string_view text, std::string_view problem,
                           std::string_view pointer) {
  constexpr std::size_t kShown = 80;
  return fail(
      ErrorClass::kFunction, std::string(code),
      fmt::format("\"{}{}\" {}", text.substr(0, kShown), text.size() > kShown ? "…" : "", problem),
      "", std::string(pointer));
}

// What topics and filters have in common; empty when nothing is wrong.
std::string_view problem_of(std::string_view text) {
  if (text.empty()) return "is empty: a topic has at least one character";
  if (text.size() > kMaxTopicBytes) return "is longer than 65535 bytes";
  if (text.find('\0') != std::string_view::npos) return "holds a NUL character";

  if (!is_utf8(text)) return "is not valid UTF-8";
  return {};
}

std::string_view filter_problem(std::string_view filter) {
  for (std::size_t at = 0; at < filter.size(); ++at) {
    const char c = filter[at];
    if (c != '+' && c != '#') continue;
    const bool starts = at == 0 || filter[at - 1] == '/';
    const bool ends = at + 1 == filter.size() || filter[at + 1] == '/';
    if (c == '#' && (!starts || at + 1 != filter.size())) {
      return "has a # that is not the whole last level, as in plant/#";
    }
    if (!starts || !ends) return "has a + that is not a whole level, as in plant/+/speed";
  }
  return {};
}

// The filter of a shared subscription without "$share/group/"; empty when it is malformed.
std::string_view without_share(std::string_view filter) {
  if (!filter.starts_with(kShare)) return filter;
  const std::size_t slash = filter.find('/', kShare.size());
  if (slash == std::string_view::npos || slash == kShare.size()) return {};
  const std::string_view group = filter.substr(kShare.size(), slash - kShare.size());
  if (group.find_first_of("+#") != std::string_view::npos) return {};
  return filter.substr(slash + 1);
}

// Takes the next level off `rest`.
std::string_view next_level(std::string_view& rest, bool& more) {
  const std::size_t slash = rest.find('/');
  more = slash != std::string_view::npos;
  const std::string_view level = rest.substr(0, slash);
  rest = more ? rest.substr(slash + 1) : std::string_view{};
  return level;
}

}  // namespace

Result<void> check_topic(std::string_view topic, std::string_view pointer) {
  std::string_view problem = problem_of(topic);
  if (problem.empty() && topic.find_first_of("+#") != std::string_view::npos) {
    problem = "has a wildcard: messages are published to one topic, without + and #";
  }
  if (!problem.empty()) return bad("invalid_topic", topic, problem, pointer);
  return {};
}

Result<void> check_filter(std::string_view filter, std::string_view pointer) {
  std::string_view problem = problem_of(filter);
  if (problem.empty()) {
    const std::string_view inner = without_share(filter);
    problem = inner.empty() ? "is not a shared subscription of the form $share/group/filter"
                            : filter_problem(inner);
  }
  if (!problem.empty()) return bad("invalid_topic_filter", filter, problem, pointer);
  return {};
}

bool matches(std::string_view filter, std::string_view topic) {
  filter = without_share(filter);
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) return false;
  bool more_filter = true;
  bool more_topic = true;
  while (more_filter && more_topic) {
    const std::string_view wanted = next_level(filter, more_filter);
    if (wanted == "#") return true;
    const std::string_view level = next_level(topic, more_topic);
    if (wanted != "+" && wanted != level) return false;
  }
  // "plant/#" also stands for "plant" itself (4.7.1.2).
  return !more_topic && (!more_filter || filter == "#");
}

}  // namespace tributary::connectors::mqtt
