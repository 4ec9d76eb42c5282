// Texts and bytes from outside, read into documents. Every one of them has a bound for whatever the
// text can make grow: a hostile text is refused, quickly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/json.hpp"

namespace tributary::orchestrate::formats {

constexpr std::size_t kMaxParsedBytes = 4U << 20;  // of one text
constexpr std::size_t kMaxCsvColumns = 256;
constexpr std::size_t kMaxCsvCells = 200'000;
// An element can take two levels of the document that is made of it (kMaxJsonDepth).
constexpr int kMaxXmlDepth = 30;
constexpr std::size_t kMaxXmlElements = 50'000;
constexpr std::size_t kMaxXmlNames = 1'000;  // different names and attributes in one element
constexpr std::size_t kMaxBinaryRecords = 100'000;

// All errors: kFunction. "too_large", and what each function says.

// "not_utf8".
Result<void> check_text(std::string_view text);
// Standard alphabet, padding required. Errors: "invalid_base64".
Result<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

// JSON; nested at most kMaxJsonDepth deep. Errors: "invalid_json".
Result<Json> parse_json_text(std::string_view text);

struct CsvOptions {
  char delimiter = ',';
  bool header = true;                // the first line names the columns
  std::vector<std::string> columns;  // without a header; column1, column2 … when empty
  bool infer_types = false;  // numbers, true, false and empty cells become what they look like
};
// RFC 4180, with LF as well as CRLF. One object for each line. Errors: "invalid_csv" with the line.
Result<std::vector<Json>> parse_csv(std::string_view text, const CsvOptions& options);

// {name of the root: content}. Attributes become "@name", text beside them "#text", elements of one
// name a list. No document type, no entities but the five of XML. Errors: "invalid_xml",
// "doctype_not_allowed", "nested_too_deep".
Result<Json> parse_xml(std::string_view text);

enum class BinaryType : std::uint8_t {
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat32,
  kFloat64,
  kBit,    // of the byte at the offset
  kText,   // bytes up to the first zero
  kBytes,  // base64
};
std::optional<BinaryType> binary_type(std::string_view name);

struct BinaryField {
  std::string name;
  std::size_t offset = 0;
  BinaryType type = BinaryType::kUint8;
  std::string order;       // of kInt16 to kFloat64: places of the bytes, "AB", "CDAB" …
  int bit = 0;             // of kBit: 0 is the lowest
  std::size_t length = 0;  // of kText and kBytes
};
// Bytes of a field of this type; 0 where its length says.
std::size_t size_of(BinaryType type);
// Places of the bytes for a byte order by name; nullopt when the type has none of that name.
std::optional<std::string> byte_places(BinaryType type, std::string_view order);

struct BinaryLayout {
  std::vector<BinaryField> fields;
  std::size_t record_bytes = 0;  // 0: the bytes are one record
};
// NaN and infinities become null. Errors: "invalid_binary".
Result<std::vector<Json>> parse_binary(std::string_view bytes, const BinaryLayout& layout);

}  // namespace tributary::orchestrate::formats
