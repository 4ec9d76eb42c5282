// A profile that is not saved has no id. What its server shows, and what a person decides about it,
// is kept under a name made of who tests the profile and where it leads: what one person accepts
// for one server is not accepted for anybody else or anywhere else.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace tributary::connect {

// A draft that was not tested or saved for so long is forgotten.
inline constexpr Duration kDraftLives{std::chrono::hours{1}};

// Stands where Certificates wants a connection's id. `target`: as target_of().
std::string draft_id(std::string_view actor, std::string_view type, std::string_view target);
bool is_draft(std::string_view id);
// Of a draft's id: "127.0.0.1:8883".
std::string draft_target(std::string_view id);

}  // namespace tributary::connect
