#include "api/paging.hpp"

#include <fmt/format.h>

#include <limits>

namespace tributary::api {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::optional<std::string> decode_cursor(std::string_view cursor) {
  if (cursor.empty() || cursor.size() % 2 != 0 || cursor.size() > 2048) return std::nullopt;
  std::string key;
  for (std::size_t i = 0; i < cursor.size(); i += 2) {
    auto high = kHex.find(cursor[i]);
    auto low = kHex.find(cursor[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    key.push_back(static_cast<char>(high * 16 + low));
  }
  return key;
}

}  // namespace

std::string encode_cursor(std::string_view key) {
  std::string cursor;
  for (char c : key) {
    cursor.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    cursor.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
  return cursor;
}

std::expected<PageRequest, Problem> page_request(const Request& request) {
  PageRequest page;
  auto limit = query_integer(request, "limit", kDefaultLimit, 1, kMaxLimit);
  TRIBUTARY_TRY(limit);
  page.limit = static_cast<std::size_t>(*limit);
  if (auto cursor = request.query_value("cursor"); cursor && !cursor->empty()) {
    auto key = decode_cursor(*cursor);
    if (!key) {
      return refuse(Problem(400, "invalid_cursor",
                            "Use the value of next from the page before, or no cursor at all."));
    }
    page.after = std::move(*key);
  }
  return page;
}

Json page_answer(Json items, const std::optional<std::string>& next_key) {
  Json json = json_object();
  json["items"] = std::move(items);
  json["next"] = next_key ? Json(encode_cursor(*next_key)) : Json::null();
  return json;
}

bool matches_labels(const Request& request, const Json& labels) {
  for (const auto& [name, value] : request.query) {
    if (name != "label") continue;
    auto colon = value.find(':');
    const std::string key = value.substr(0, colon);
    if (!labels.is_object() || !labels.contains(key)) return false;
    if (colon != std::string::npos && get_string(labels, key) != value.substr(colon + 1))
      return false;
  }
  return true;
}

std::string name_key(std::string_view name, std::string_view id) {
  std::string key(name);
  std::ranges::transform(key, key.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  key.push_back('\0');
  key += id;
  return key;
}

std::string newest_first_key(std::int64_t number) {
  return fmt::format("{:020}", std::numeric_limits<std::int64_t>::max() - number);
}

}  // namespace tributary::api
