// Values that stand elsewhere: "env:NAME" or "file:/path". Read anew on each use, so that what was changed there is used
// without a restart (edge cases 16 and 17).
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace tributary::secrets {

bool is_reference(std::string_view text);

// The text that a setting refers to, or the setting itself when it is no reference. `what` names it in messages, which
// never repeat its value: "The CA certificate". Error: kConfiguration "setting_unavailable".
Result<std::string> resolve_setting(std::string_view stored, std::string_view what);

}  // namespace tributary::secrets
