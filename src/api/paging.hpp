// Cursor paging: lists are sorted by a key, and a cursor is the key of the last item that was sent.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "api/http.hpp"

namespace tributary::api {

inline constexpr std::int64_t kDefaultLimit = 100;
inline constexpr std::int64_t kMaxLimit = 1000;

struct PageRequest {
  std::size_t limit = kDefaultLimit;
  std::string after;  // decoded cursor; empty: from the start
};

// Errors: 400 "invalid_parameter", "invalid_cursor".
std::expected<PageRequest, Problem> page_request(const Request& request);
std::string encode_cursor(std::string_view key);

// {"items": […], "next": cursor or null}
Json page_answer(Json items, const std::optional<std::string>& next_key);

// The page of `items` after the cursor. `key` gives a unique std::string per item and decides the
// order; `show` its JSON.
template <typename T, typename Key, typename Show>
Json make_page(std::vector<T> items, const PageRequest& page, Key key, Show show) {
  std::vector<std::pair<std::string, T*>> keyed;
  keyed.reserve(items.size());
  for (T& item : items) keyed.emplace_back(key(item), &item);
  std::ranges::sort(keyed, {}, [](const auto& entry) -> const std::string& { return entry.first; });
  auto begin = page.after.empty()
                   ? keyed.begin()
                   : std::ranges::upper_bound(
                         keyed, page.after, {},
                         [](const auto& entry) -> const std::string& { return entry.first; });
  Json list = json_array();
  auto at = begin;
  for (; at != keyed.end() && list.size() < page.limit; ++at) list.push_back(show(*at->second));
  std::optional<std::string> next;
  if (at != keyed.end()) next = std::prev(at)->first;
  return page_answer(std::move(list), next);
}

// ?label=key:value, ?label=key; all must match. Errors: none.
bool matches_labels(const Request& request, const Json& labels);

// By name, then id: the usual key of a list.
std::string name_key(std::string_view name, std::string_view id);
// The key of lists that begin with the highest number.
std::string newest_first_key(std::int64_t number);

}  // namespace tributary::api
