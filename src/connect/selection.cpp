#include "connect/selection.hpp"

namespace tributary::connect {

namespace {

using FieldErrors = std::vector<schema::FieldError>;

void parse_ids(const Json& ids, const std::string& pointer, Selection& into, FieldErrors& errors) {
  if (ids.is_null()) return;
  if (!ids.is_array() || ids.empty()) {
    errors.push_back({pointer, "wrong_type", "It must be a list of ids of connections."});
    return;
  }
  if (ids.size() > kMaxSelectedIds) {
    errors.push_back(
        {pointer, "too_long", fmt::format("At most {} ids are allowed.", kMaxSelectedIds)});
    return;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i].is_string()) {
      into.ids.insert(ids[i].as<std::string>());
    } else {
      errors.push_back({fmt::format("{}/{}", pointer, i), "wrong_type", "An id is a string."});
    }
  }
}

void parse_labels(const Json& labels, const std::string& pointer, Selection& into,
                  FieldErrors& errors) {
  if (labels.is_null()) return;
  if (!labels.is_object() || labels.empty()) {
    errors.push_back(
        {pointer, "wrong_type", "It must be an object of labels, {\"site\": \"izmir\"}."});
    return;
  }
  for (const auto& label : labels.object_range()) {
    if (label.value().is_string()) {
      into.labels[std::string(label.key())] = label.value().as<std::string>();
    } else {
      errors.push_back({pointer + "/" + escape_pointer(label.key()), "wrong_type",
                        "A label's value is a string."});
    }
  }
}

}  // namespace

bool Selection::matches(const store::ConnectionRow& row) const {
  if (empty()) return false;
  if (!ids.empty() && !ids.contains(row.id)) return false;
  if (!type.empty() && row.type != type) return false;
  return std::ranges::all_of(labels, [&row](const auto& label) {
    return row.labels.is_object() && row.labels.contains(label.first) &&
           get_string(row.labels, label.first) == label.second;
  });
}

Selection parse_selection(const Json& body, const std::string& base, FieldErrors& errors) {
  Selection selection;
  const std::size_t before = errors.size();
  parse_ids(get_member(body, "connectionIds"), base + "/connectionIds", selection, errors);
  parse_labels(get_member(body, "labels"), base + "/labels", selection, errors);
  const Json& type = get_member(body, "type");
  if (type.is_string()) {
    selection.type = type.as<std::string>();
  } else if (!type.is_null()) {
    errors.push_back({base + "/type", "wrong_type", "It must be the type of a connector."});
  }
  const Json& all = get_member(body, "all");
  if (all.is_bool()) {
    selection.all = all.as<bool>();
  } else if (!all.is_null()) {
    errors.push_back({base + "/all", "wrong_type", "It must be true or false."});
  }
  if (errors.size() == before && selection.empty()) {
    errors.push_back(
        {base, "required", "Say which connections: connectionIds, labels or type; or all: true."});
  }
  return selection;
}

}  // namespace tributary::connect
