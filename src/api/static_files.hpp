// The files of the web interface, from the table that is built into the binary.
#pragma once

#include <span>

#include "api/http.hpp"
#include "base/web_asset.hpp"

namespace tributary::api {

// The page's <style> elements carry this text as their nonce; it is replaced by a new random nonce
// in every answer.
inline constexpr std::string_view kNoncePlaceholder = "__CSP_NONCE__";

// A file, index.html for addresses that the page's own router knows, 304, or a 404 / 405 problem.
Answer static_answer(const Request& request, std::span<const WebAsset> assets);

}  // namespace tributary::api
