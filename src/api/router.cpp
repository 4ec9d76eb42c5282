#include "api/router.hpp"

#include <algorithm>

namespace tributary::api {
namespace {

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

// Literal segments win over parameters: "/connections/test" is not a connection named "test".
bool more_literal(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (is_parameter(a[i]) != is_parameter(b[i])) return is_parameter(b[i]);
  }
  return false;
}

bool matches(const std::vector<std::string_view>& segments, const std::vector<std::string>& path,
             Pairs& parameters) {
  if (segments.size() != path.size()) return false;
  parameters.clear();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (is_parameter(segments[i])) {
      if (path[i].empty()) return false;
      parameters.emplace_back(segments[i].substr(1, segments[i].size() - 2), path[i]);
    } else if (segments[i] != path[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

Router::Router(std::span<const Route> routes) {
  for (const Route& route : routes) entries_.push_back({&route, split_path(route.path)});
  std::ranges::stable_sort(entries_, more_literal, &Entry::segments);
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  std::vector<std::string> decoded;
  for (std::string_view segment : split_path(path)) {
    auto text = percent_decode(segment, false);
    if (!text) return {};
    decoded.push_back(std::move(*text));
  }
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  std::string_view template_found;
  Pairs parameters;
  for (const Entry& entry : entries_) {
    if (!matches(entry.segments, decoded, parameters)) continue;
    if (!template_found.empty() && template_found != entry.route->path) break;
    template_found = entry.route->path;
    match.is_public = match.is_public || entry.route->policy == Policy::kPublic;
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += entry.route->method;
    if (entry.route->method == "GET") match.allow += ", HEAD";
    if (entry.route->method == wanted) {
      match.route = entry.route;
      match.parameters = parameters;
    }
  }
  return match;
}

}  // namespace tributary::api
