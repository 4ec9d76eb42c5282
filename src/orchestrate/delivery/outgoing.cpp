#include "orchestrate/delivery/outgoing.hpp"

namespace tributary::orchestrate {
namespace {

void mark(Json& record) {
  if (!record.is_object()) return;
  const auto meta = record.find("$meta");
  if (meta == record.object_range().end() || !meta->value().is_object()) return;
  meta->value().insert_or_assign("backfill", true);
}

// Whether the document is nested at most `depth` deep.
bool is_nested_within(const Json& json, int depth) {
  if (json.is_object()) {
    if (depth == 0) return false;
    for (const auto& member : json.object_range()) {
      if (!is_nested_within(member.value(), depth - 1)) return false;
    }
  } else if (json.is_array()) {
    if (depth == 0) return false;
    for (const Json& element : json.array_range()) {
      if (!is_nested_within(element, depth - 1)) return false;
    }
  }
  return true;
}

}  // namespace

bool fits_payload(const Outgoing& outgoing) {
  constexpr int kDepth = kMaxJsonDepth - 1;
  return is_nested_within(outgoing.parameters, kDepth) &&
         (!outgoing.record || is_nested_within(*outgoing.record, kDepth));
}

std::string to_payload(const Outgoing& outgoing) {
  std::string payload = "{";
  if (!outgoing.parameters.is_null())
    payload += R"("parameters":)" + to_text(outgoing.parameters) + (outgoing.record ? "," : "");
  if (outgoing.record) payload += R"("record":)" + to_text(*outgoing.record);
  payload += "}";
  return payload;
}

Result<Outgoing> from_payload(std::string_view payload) {
  auto parsed = parse_json(payload);
  if (!parsed || !parsed->is_object()) {
    return fail(ErrorClass::kInternal, "payload_damaged",
                "What was kept for delivery cannot be read any more.");
  }
  Outgoing outgoing;
  if (parsed->contains("parameters")) outgoing.parameters = std::move(parsed->at("parameters"));
  if (parsed->contains("record")) outgoing.record = std::move(parsed->at("record"));
  return outgoing;
}

void mark_backfill(Outgoing& outgoing) {
  if (outgoing.record) mark(*outgoing.record);
  if (outgoing.parameters.is_object() && outgoing.parameters.contains("payload"))
    mark(outgoing.parameters.at("payload"));
}

}  // namespace tributary::orchestrate
