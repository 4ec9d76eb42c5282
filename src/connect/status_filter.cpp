#include "connect/status_filter.hpp"

#include <algorithm>

namespace tributary::connect {
namespace {

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> found;
  if (!list.is_array()) return found;
  for (const Json& text : list.array_range()) found.push_back(text.as<std::string>());
  return found;
}

std::vector<Status> statuses(const Json& list) {
  std::vector<Status> found;
  for (const std::string& text : texts(list)) {
    if (const auto status = parse_status(text)) found.push_back(*status);
  }
  return found;
}

}  // namespace

bool ConnectionFilter::takes(const std::string& id, const std::string& of_type,
                             const Json& its_labels) const {
  if (!ids.empty() && std::ranges::find(ids, id) == ids.end()) return false;
  if (!type.empty() && of_type != type) return false;
  return std::ranges::all_of(labels, [&](const auto& label) {
    const Json& value = its_labels.is_object() ? get_member(its_labels, label.first) : Json::null();
    return value.is_string() && value.as_string_view() == label.second;
  });
}

bool StatusFilter::takes(Status left, Status entered) const {
  const auto named = [](const std::vector<Status>& list, Status status) {
    return list.empty() || std::ranges::find(list, status) != list.end();
  };
  return named(from, left) && named(to, entered);
}

ConnectionFilter read_connection_filter(const Json& document) {
  ConnectionFilter filter;
  filter.ids = texts(get_member(document, "connectionIds"));
  filter.type = get_string(document, "type");
  const Json& labels = get_member(document, "labels");
  if (!labels.is_object()) return filter;
  for (const auto& label : labels.object_range()) {
    filter.labels.emplace_back(label.key(), label.value().as<std::string>());
  }
  return filter;
}

StatusFilter read_status_filter(const Json& document) {
  return {read_connection_filter(document), statuses(get_member(document, "from")),
          statuses(get_member(document, "to"))};
}

DigestRule read_digest_rule(const Json& document) {
  return {std::chrono::milliseconds(get_int(document, "forMs", 0)),
          std::chrono::milliseconds(get_int(document, "debounceMs", 0))};
}

DigestState digest_state(Status status) {
  constexpr int kDown = -1;
  const int state = static_cast<int>(status);
  const bool down = status == Status::kDisconnected || status == Status::kReconnecting ||
                    status == Status::kFailed;
  return {state, down ? kDown : state};
}

}  // namespace tributary::connect
