// Any bytes are parsed or refused with a sentence; what was parsed can be written and read again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "orchestrate/formats/decoders.hpp"
#include "orchestrate/formats/encoders.hpp"

namespace {

namespace formats = tributary::orchestrate::formats;
using tributary::Json;

template <typename T>
bool is_refused(const tributary::Result<T>& result) {
  if (result) return false;
  if (result.error().code.empty() || result.error().message.empty()) std::abort();
  return true;
}

void expect_json(const Json& made) {
  const std::string text = tributary::to_text(made);
  const auto again = tributary::parse_json(text);
  if (!again || tributary::to_text(*again) != text) std::abort();
}

void csv(std::string_view text, bool infer) {
  formats::CsvOptions options;
  options.infer_types = infer;
  const auto rows = formats::parse_csv(text, options);
  if (is_refused(rows) || rows->empty()) return;
  std::vector<Json> names;
  for (const auto& member : rows->front().object_range()) names.emplace_back(member.key());
  std::string written = formats::csv_line(names, ',') + "\r\n";
  for (const Json& row : *rows) {
    std::vector<Json> cells;
    for (const auto& member : row.object_range()) cells.push_back(member.value());
    written += formats::csv_line(cells, ',') + "\r\n";
  }
  const auto again = formats::parse_csv(written, options);
  if (!again || *again != *rows) std::abort();
}

// The first bytes say how the others are laid out.
void binary(std::string_view data) {
  formats::BinaryLayout layout;
  layout.record_bytes = data.empty() ? 0 : static_cast<unsigned char>(data[0]) % 16;
  std::size_t at = 1;
  for (int i = 0; i < 4 && at + 3 <= data.size(); ++i, at += 3) {
    formats::BinaryField field;
    field.name = std::string(1, static_cast<char>('a' + i));
    field.type = static_cast<formats::BinaryType>(static_cast<unsigned char>(data[at]) % 13);
    field.offset = static_cast<unsigned char>(data[at + 1]) % 16;
    field.bit = static_cast<unsigned char>(data[at + 2]) % 8;
    field.length = static_cast<unsigned char>(data[at + 2]) % 20;
    constexpr std::string_view kOrders[] = {"big", "little", "bigSwapped", "littleSwapped"};
    auto places = formats::byte_places(field.type, kOrders[data[at + 2] & 3]);
    field.order = places ? *places : *formats::byte_places(field.type, "big");
    layout.fields.push_back(std::move(field));
  }
  const auto records = formats::parse_binary(data.substr(std::min(at, data.size())), layout);
  if (is_refused(records)) return;
  for (const Json& record : *records) expect_json(record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'b') {
    binary(bytes);
    return 0;
  }
  if (data[0] == '6') {
    const auto decoded = formats::decode_base64(bytes);
    if (!is_refused(decoded) &&
        formats::decode_base64(formats::encode_base64(*decoded)) != *decoded)
      std::abort();
    return 0;
  }
  if (is_refused(formats::check_text(bytes))) return 0;
  if (data[0] == 'c' || data[0] == 'i') {
    csv(bytes, data[0] == 'i');
  } else if (data[0] == 'x') {
    const auto made = formats::parse_xml(bytes);
    if (!is_refused(made)) expect_json(*made);
  } else {
    const auto made = formats::parse_json_text(bytes);
    if (!is_refused(made)) expect_json(*made);
  }
  return 0;
}
