#include "connectors/mqtt/src/message.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <jsoncons/utility/unicode_traits.hpp>

#include "model/depth.hpp"

namespace tributary::connectors::mqtt {
namespace {

Json error_note(std::string_view code, std::string message) {
  Json note = json_object();
  note.insert_or_assign("code", std::string(code));
  note.insert_or_assign("message", std::move(message));
  return note;
}

// Several properties of one name become an array.
Json user_properties(const std::vector<std::pair<std::string, std::string>>& user) {
  Json all = json_object();
  for (const auto& [name, value] : user) {
    if (!all.contains(name)) {
      all.insert_or_assign(name, value);
      continue;
    }
    Json& member = all.at(name);
    if (!member.is_array()) {
      Json values = json_array();
      values.push_back(member);
      member = std::move(values);
    }
    member.push_back(value);
  }
  return all;
}

Json to_json(const MessageProperties& properties) {
  Json all = json_object();
  if (properties.content_type) all.insert_or_assign("contentType", *properties.content_type);
  if (properties.response_topic) all.insert_or_assign("responseTopic", *properties.response_topic);
  if (properties.correlation_data) {
    all.insert_or_assign("correlationData", to_base64(*properties.correlation_data));
  }
  if (properties.message_expiry_seconds) {
    all.insert_or_assign("messageExpirySeconds", *properties.message_expiry_seconds);
  }
  if (properties.is_text) all.insert_or_assign("payloadIsText", *properties.is_text);
  if (!properties.user.empty()) {
    all.insert_or_assign("userProperties", user_properties(properties.user));
  }
  return all;
}

struct Payload {
  Json value;
  std::optional<Json> error;
};

Payload decode(const Message& message, SubscribeSettings::Format format) {
  if (message.refused_bytes) {
    return {Json::null(), error_note("message_too_large",
                                     fmt::format("The payload of {} bytes is larger than the "
                                                 "connection's largest message",
                                                 *message.refused_bytes))};
  }
  if (format == SubscribeSettings::Format::kBinary) return {to_base64(message.payload), {}};
  const bool wants_json = format == SubscribeSettings::Format::kJson;
  // An empty payload is how a retained message is removed: no value, and nothing wrong.
  if (wants_json && message.payload.empty()) return {Json::null(), {}};
  std::optional<Result<Json>> parsed;
  if (wants_json) parsed = parse_json(message.payload);
  if (parsed && *parsed && fits_into_record(**parsed)) return {std::move(**parsed), {}};
  if (!is_utf8(message.payload)) {
    return {to_base64(message.payload),
            error_note("invalid_utf8", "The payload is not text; it is given as base64")};
  }
  if (!parsed) return {message.payload, {}};
  std::string why = *parsed ? "The payload is nested too deeply" : parsed->error().message;
  return {message.payload, error_note("invalid_json", std::move(why))};
}

}  // namespace

Record to_record(const Message& message, SubscribeSettings::Format format) {
  Payload payload = decode(message, format);
  Record record = json_object();
  record.insert_or_assign("payload", std::move(payload.value));
  record.insert_or_assign("topic", message.topic);
  record.insert_or_assign("qos", message.qos);
  record.insert_or_assign("retained", message.retained);
  record.insert_or_assign("properties", to_json(message.properties));
  if (payload.error) record.insert_or_assign("error", std::move(*payload.error));
  return record;
}

bool is_utf8(std::string_view text) {
  const auto checked = jsoncons::unicode_traits::validate(text.data(), text.size());
  return checked.ec == jsoncons::unicode_traits::conv_errc();
}

std::string to_base64(std::string_view bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), kVariant);
  text.pop_back();  // the terminating zero
  return text;
}

Result<std::string> from_base64(std::string_view text, std::string_view pointer) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const int decoded =
      sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), " \r\n", &size, &end, sodium_base64_VARIANT_ORIGINAL);
  if (decoded != 0 || end != text.data() + text.size()) {
    return fail(ErrorClass::kFunction, "invalid_base64",
                "The payload is not base64 (letters, digits, +, / and = at the end)",
                "Choose the payload format \"auto\" for text.", std::string(pointer));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace tributary::connectors::mqtt
