#include "connect/certificates/draft.hpp"

#include <fmt/format.h>

namespace tributary::connect {

namespace {

// Ids of connections have no line breaks. The caller comes first: nothing that stands in a profile
// makes its draft another caller's.
constexpr std::string_view kDraft = "draft\n";

}  // namespace

std::string draft_id(std::string_view actor, std::string_view type, std::string_view target) {
  return fmt::format("{}{}\n{}\n{}", kDraft, actor, type, target);
}

bool is_draft(std::string_view id) {
  return id.starts_with(kDraft);
}

std::string draft_target(std::string_view id) {
  return std::string(id.substr(id.rfind('\n') + 1));
}

}  // namespace tributary::connect
