// Payloads and topics come from anybody who may publish. Whatever they hold, a record comes of it
// that can be written as JSON and read again, and matching agrees with itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "connectors/mqtt/src/message.hpp"
#include "connectors/mqtt/src/topic.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary;
  using namespace tributary::connectors::mqtt;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  const std::string_view first = input.substr(0, line);
  const std::string_view rest =
      line == std::string_view::npos ? std::string_view{} : input.substr(line + 1);

  Message message;
  message.topic = "fuzz";
  message.payload = input;
  for (const auto format : {SubscribeSettings::Format::kJson, SubscribeSettings::Format::kText,
                            SubscribeSettings::Format::kBinary}) {
    const Record record = to_record(message, format);
    require(record.contains("payload"));
    require(parse_json(to_text(record)).has_value());
  }
  require(from_base64(to_base64(input), "").value() == input);

  const bool is_topic = check_topic(rest, "").has_value();
  if (check_filter(first, "") && is_topic) matches(first, rest);
  // A valid topic is a filter that matches itself (shared subscriptions are no topics to publish
  // to).
  if (is_topic && !rest.starts_with("$share/")) {
    require(check_filter(rest, "").has_value());
    require(matches(rest, rest));
    require(rest.starts_with('$') || matches("#", rest));
  }
  return 0;
}
