#include "api/diagnostics/scrub.hpp"

#include <algorithm>
#include <array>

#include "api/http.hpp"

namespace tributary::api {
namespace {

constexpr std::string_view kGone = "(removed)";

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

void replace_all(std::string& text, std::string_view part) {
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
    text.replace(at, part.size(), kGone);
    at += kGone.size();
  }
}

// What follows a mark, as long as it is made of such characters: "Bearer abc", "trb_abc".
void remove_behind(std::string& text, std::string_view mark) {
  constexpr std::size_t kShortest = 8;
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
    at += mark.size();
    auto end = at;
    while (end < text.size() && is_token_character(text[end])) ++end;
    if (end - at >= kShortest) text.replace(at, end - at, kGone);
  }
}

// "https://user:password@host".
void remove_user_info(std::string& text) {
  constexpr std::string_view kMark = "://";
  for (auto at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
    at += kMark.size();
    const auto end = std::min(text.find_first_of("/?#\"\\ \n", at), text.size());
    const auto sign = std::string_view(text).substr(at, end - at).rfind('@');
    if (sign != std::string_view::npos) text.replace(at, sign, kGone);
  }
}

// "…?token=abc&…", "password=abc": the value behind such a name.
void remove_values(std::string& text) {
  const auto is_of_name = [](char c) {
    return is_token_character(c) && c != '=' && c != '/' && c != '+' && c != '.';
  };
  for (auto at = text.find('='); at != std::string::npos; at = text.find('=', at)) {
    auto begin = at;
    while (begin > 0 && is_of_name(text[begin - 1])) --begin;
    const bool secret = is_secret_name(std::string_view(text).substr(begin, at - begin));
    ++at;
    if (!secret) continue;
    const auto end = std::min(text.find_first_of("&;,\"'\\ \n", at), text.size());
    text.replace(at, end - at, kGone);
  }
}

void remove_private_keys(std::string& text) {
  constexpr std::string_view kBegin = "PRIVATE KEY-----";
  constexpr std::string_view kEnd = "-----END";
  for (auto at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at)) {
    at += kBegin.size();
    const auto end = std::min(text.find(kEnd, at), text.size());
    text.replace(at, end - at, kGone);
    // Behind the line that ends the key, which looks like its beginning.
    at = std::min(text.find(kBegin, at), text.size());
    at = std::min(at + kBegin.size(), text.size());
  }
}

// Everything below a member with the name of a secret goes, but for what a view says about it:
// whether it is set, and since when.
void remove_by_name(Json& json, bool secret) {
  if (json.is_object()) {
    // {"name": "Authorization", "value": "…"}
    const bool named = std::ranges::any_of(
        std::array{"name", "key", "header"},
        [&](const char* member) { return is_secret_name(get_string(json, member)); });
    for (auto& member : json.object_range()) {
      const std::string_view key = member.key();
      const bool is_view = key == "changedAt" || key == "set";
      const bool is_value = (named && key == "value") || is_secret_name(key);
      remove_by_name(member.value(), !is_view && (secret || is_value));
    }
  } else if (json.is_array()) {
    for (Json& element : json.array_range()) remove_by_name(element, secret);
  } else if (secret && (json.is_string() || json.is_number())) {
    json = std::string(kGone);
  }
}

// As it stands inside a JSON text.
std::string escaped(const std::string& text) {
  const std::string quoted = to_text(Json(text));
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

bool is_secret_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') plain += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
  }
  constexpr std::array<std::string_view, 13> kNames{
      "password",  "passwd",        "passphrase",     "secret",     "token",
      "apikey",    "authorization", "cookie",         "credential", "privatekey",
      "accesskey", "signature",     "subscriptionkey"};
  return std::ranges::any_of(
      kNames, [&](std::string_view known) { return plain.find(known) != std::string::npos; });
}

Scrubber::Scrubber(const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.size() < kShortestSecret) continue;
    const std::string once = escaped(secret);
    // A document that is quoted in another one, as in a line of the log.
    for (const std::string& form : {secret, once, escaped(once), percent_encode(secret)})
      forms_.push_back(form);
  }
  std::ranges::sort(forms_, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  const auto repeated = std::ranges::unique(forms_);
  forms_.erase(repeated.begin(), repeated.end());
}

std::string Scrubber::text(std::string text) const {
  for (const std::string& form : forms_) replace_all(text, form);
  remove_private_keys(text);
  remove_user_info(text);
  for (std::string_view mark : {"trb_", "Bearer ", "bearer ", "Basic ", "basic "})
    remove_behind(text, mark);
  remove_values(text);
  return text;
}

std::string Scrubber::document(const Json& document) const {
  Json copy = document;
  remove_by_name(copy, false);
  return text(to_text(copy));
}

}  // namespace tributary::api
