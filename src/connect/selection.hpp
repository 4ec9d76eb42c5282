// Which connections are meant: by id, label, type, or all of them. What is given must all hold, and
// nothing is meant when nothing is given.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/json.hpp"
#include "schema/schema.hpp"
#include "store/rows.hpp"

namespace tributary::connect {

struct Selection {
  bool all = false;
  std::set<std::string> ids;
  std::map<std::string, std::string> labels;
  std::string type;

  bool empty() const { return !all && ids.empty() && labels.empty() && type.empty(); }
  bool matches(const store::ConnectionRow& row) const;
  friend bool operator==(const Selection&, const Selection&) = default;
};

// At most this many ids in one selection.
constexpr std::size_t kMaxSelectedIds = 10'000;

// The members connectionIds, labels, type and all of `body`; others are the caller's. Errors get
// `base` before their pointers; a selection that selects nothing is an error at `base` itself.
Selection parse_selection(const Json& body, const std::string& base,
                          std::vector<schema::FieldError>& errors);

}  // namespace tributary::connect
