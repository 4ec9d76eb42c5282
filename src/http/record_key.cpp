#include "http/record_key.hpp"

#include "http/encoding.hpp"

namespace tributary::http {
namespace {

constexpr std::string_view kMeta = "$meta";

bool has_meta(const Json& json) {
  return json.is_object() && json.contains(kMeta);
}

void unmark(Json& record) {
  if (has_meta(record) && record.at(kMeta).is_object()) record.at(kMeta).erase("backfill");
}

}  // namespace

std::string record_key(std::string_view what, const Json& parameters) {
  Json plain = parameters;
  unmark(plain);
  if (plain.is_object() && plain.contains("payload")) unmark(plain.at("payload"));
  if (plain.is_object() && plain.contains("records") && plain.at("records").is_array()) {
    for (Json& record : plain.at("records").array_range()) unmark(record);
  }
  return sha256_hex(std::string(what) + "\n" + to_text(plain));
}

bool names_a_record(const Json& parameters) {
  return has_meta(parameters) || has_meta(get_member(parameters, "payload"));
}

}  // namespace tributary::http
