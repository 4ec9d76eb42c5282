// Takes secrets out of what leaves the hub as a report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/json.hpp"

namespace tributary::api {

// Whether a setting, a header or a parameter with this name is likely to hold a secret: "password",
// "X-Api-Key", "access_token".
bool is_secret_name(std::string_view name);

// Works in three ways, because none sees everything: by the hub's own secrets wherever their text
// stands, by the names of members, and by what credentials look like.
class Scrubber {
 public:
  // Texts shorter than this are not looked for: they stand in everything.
  static constexpr std::size_t kShortestSecret = 4;

  explicit Scrubber(const std::vector<std::string>& secrets);

  std::string text(std::string text) const;
  // Compact JSON, scrubbed.
  std::string document(const Json& document) const;

 private:
  std::vector<std::string> forms_;  // of the secrets, longest first
};

}  // namespace tributary::api
