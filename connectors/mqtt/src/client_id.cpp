#include "connectors/mqtt/src/client_id.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace tributary::connectors::mqtt {
namespace {

constexpr std::size_t kPart = 5;
constexpr std::size_t kHash = 6;

// The end of an id is its random part.
std::string tail_of(std::string_view id) {
  std::string tail(id.substr(id.size() - std::min(id.size(), kPart)));
  std::ranges::transform(tail, tail.begin(), [](unsigned char c) { return std::tolower(c); });
  return tail;
}

// FNV-1a: the result must be the same in every build, for ever.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1'099'511'628'211ULL;
  }
  return hash;
}

std::string hash_text(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string digits;
  std::uint64_t hash = hash_of(text);
  for (std::size_t i = 0; i < kHash; ++i, hash /= kDigits.size()) {
    digits += kDigits[hash % kDigits.size()];
  }
  return digits;
}

}  // namespace

std::string default_client_id(std::string_view node_id, std::string_view connection_id) {
  std::string whole(node_id);
  whole += '/';
  whole += connection_id;
  return "trib-" + tail_of(node_id) + "-" + tail_of(connection_id) + "-" + hash_text(whole);
}

}  // namespace tributary::connectors::mqtt
