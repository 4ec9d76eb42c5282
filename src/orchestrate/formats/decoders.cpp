#include "orchestrate/formats/decoders.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace tributary::orchestrate::formats {
namespace {

Result<void> check_size(std::string_view text) {
  if (text.size() <= kMaxParsedBytes) return {};
  return fail(ErrorClass::kFunction, "too_large",
              fmt::format("The text has {} bytes; {} MiB are allowed.", text.size(),
                          kMaxParsedBytes >> 20));
}

constexpr std::array<std::string_view, 13> kTypeNames = {
    "int8",   "int16",   "int32",   "int64", "uint8", "uint16", "uint32",
    "uint64", "float32", "float64", "bit",   "text",  "bytes"};

// ---- CSV ----

// Before anything is made of them.
bool has_too_many_cells(std::string_view text, char delimiter) {
  std::size_t cells = 1;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == delimiter || c == '\n') && ++cells > kMaxCsvCells) return true;
  }
  return false;
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const CsvOptions& options) : text_(text), options_(options) {}

  Result<std::vector<Json>> read() {
    std::vector<Json> records;
    names_ = options_.columns;
    if (options_.header && at_ < text_.size()) TRIBUTARY_TRY(read_header());
    std::vector<Cell> cells;
    while (at_ < text_.size()) {
      const std::size_t line = line_;
      TRIBUTARY_TRY(read_line(cells));
      if (names_.empty()) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
          names_.push_back(fmt::format("column{}", i + 1));
        }
      }
      if (cells.size() != names_.size()) {
        return wrong(line, fmt::format("has {} cells instead of {}", cells.size(), names_.size()));
      }
      Json record = json_object();
      for (std::size_t i = 0; i < cells.size(); ++i) {
        record.insert_or_assign(names_[i], value_of(std::move(cells[i])));
      }
      records.push_back(std::move(record));
    }
    return records;
  }

 private:
  struct Cell {
    std::string text;
    bool quoted = false;
  };

  static std::unexpected<Error> wrong(std::size_t line, const std::string& what) {
    return fail(ErrorClass::kFunction, "invalid_csv", fmt::format("Line {} {}.", line, what));
  }

  Result<void> read_header() {
    std::vector<Cell> cells;
    TRIBUTARY_TRY(read_line(cells));
    names_.clear();
    for (Cell& cell : cells) {
      if (cell.text.empty()) return wrong(1, "has a column without a name");
      if (std::find(names_.begin(), names_.end(), cell.text) != names_.end()) {
        return wrong(1, fmt::format("has two columns '{}'", cell.text.substr(0, 64)));
      }
      names_.push_back(std::move(cell.text));
    }
    return {};
  }

  Result<void> read_line(std::vector<Cell>& cells) {
    cells.clear();
    const std::size_t line = line_;
    while (true) {
      cells.emplace_back();
      if (cells.size() > kMaxCsvColumns) {
        return wrong(line, fmt::format("has more than {} cells", kMaxCsvColumns));
      }
      TRIBUTARY_TRY(read_cell(cells.back()));
      if (at_ < text_.size() && text_[at_] == options_.delimiter) {
        ++at_;
        continue;
      }
      break;
    }
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    return {};
  }

  Result<void> read_cell(Cell& cell) {
    if (at_ < text_.size() && text_[at_] == '"') return read_quoted(cell);
    const std::size_t start = at_;
    while (at_ < text_.size() && !ends_cell(at_)) {
      if (text_[at_] == '"') return wrong(line_, "has a quotation mark inside of an unquoted cell");
      ++at_;
    }
    cell.text = text_.substr(start, at_ - start);
    return {};
  }

  bool ends_cell(std::size_t at) const {
    const char c = text_[at];
    return c == options_.delimiter || c == '\n' ||
           (c == '\r' && (at + 1 == text_.size() || text_[at + 1] == '\n'));
  }

  Result<void> read_quoted(Cell& cell) {
    cell.quoted = true;
    const std::size_t line = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c != '"') {
        cell.text += c;
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        cell.text += '"';
        ++at_;
      } else {
        ++at_;
        if (at_ < text_.size() && !ends_cell(at_)) {
          return wrong(line_, "goes on behind a quoted cell");
        }
        return {};
      }
    }
    return wrong(line, "begins a quoted cell that does not end");
  }

  // Quoted cells stay text.
  Json value_of(Cell cell) const {
    if (!options_.infer_types || cell.quoted) return Json(std::move(cell.text));
    if (cell.text.empty()) return Json::null();
    if (cell.text == "true") return Json(true);
    if (cell.text == "false") return Json(false);
    const char* end = cell.text.data() + cell.text.size();
    std::int64_t whole = 0;
    const auto integer = std::from_chars(cell.text.data(), end, whole);
    const std::size_t digit = cell.text[0] == '-' ? 1 : 0;
    // "007" is an article number, not seven.
    const bool padded = cell.text.size() > digit + 1 && cell.text[digit] == '0' &&
                        cell.text[digit + 1] >= '0' && cell.text[digit + 1] <= '9';
    if (padded) return Json(std::move(cell.text));
    if (integer.ec == std::errc{} && integer.ptr == end) return Json(whole);
    double real = 0;
    const auto number = std::from_chars(cell.text.data(), end, real);
    const bool is_number = number.ec == std::errc{} && number.ptr == end && std::isfinite(real);
    return is_number ? Json(real) : Json(std::move(cell.text));
  }

  std::string_view text_;
  const CsvOptions& options_;
  std::vector<std::string> names_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

// ---- binary ----

std::uint64_t gather(std::string_view bytes, const BinaryField& field) {
  std::uint64_t bits = 0;
  for (const char place : field.order) {
    const auto at = field.offset + static_cast<std::size_t>(place - 'A');
    bits = bits << 8 | static_cast<unsigned char>(bytes[at]);
  }
  return bits;
}

Json finite(double value) {
  return std::isfinite(value) ? Json(value) : Json::null();
}

Json number_of(BinaryType type, std::uint64_t bits) {
  switch (type) {
    case BinaryType::kInt8:
      return Json(static_cast<std::int64_t>(static_cast<std::int8_t>(bits)));
    case BinaryType::kInt16:
      return Json(static_cast<std::int64_t>(static_cast<std::int16_t>(bits)));
    case BinaryType::kInt32:
      return Json(static_cast<std::int64_t>(static_cast<std::int32_t>(bits)));
    case BinaryType::kInt64:
      return Json(static_cast<std::int64_t>(bits));
    case BinaryType::kFloat32:
      return finite(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    case BinaryType::kFloat64:
      return finite(std::bit_cast<double>(bits));
    default:
      return Json(bits);
  }
}

Result<Json> read_field(std::string_view bytes, const BinaryField& field) {
  if (field.type == BinaryType::kBit) {
    return Json((static_cast<unsigned char>(bytes[field.offset]) >> field.bit & 1) != 0);
  }
  if (field.type == BinaryType::kText) {
    std::string_view text = bytes.substr(field.offset, field.length);
    text = text.substr(0, text.find('\0'));
    if (!check_text(text)) {
      return fail(ErrorClass::kFunction, "invalid_binary",
                  fmt::format("The text '{}' is not UTF-8.", field.name));
    }
    return Json(text);
  }
  if (field.type == BinaryType::kBytes) {
    return Json(encode_base64(bytes.substr(field.offset, field.length)));
  }
  return number_of(field.type, gather(bytes, field));
}

Result<Json> read_record(std::string_view bytes, const BinaryLayout& layout) {
  Json record = json_object();
  for (const BinaryField& field : layout.fields) {
    const std::size_t size = size_of(field.type) == 0 ? field.length : size_of(field.type);
    if (field.offset > bytes.size() || size > bytes.size() - field.offset) {
      return fail(ErrorClass::kFunction, "invalid_binary",
                  fmt::format("'{}' needs bytes {} to {}; there are {}.", field.name, field.offset,
                              field.offset + size, bytes.size()));
    }
    auto value = read_field(bytes, field);
    if (!value) return value;
    record.insert_or_assign(field.name, std::move(*value));
  }
  return record;
}

}  // namespace

Result<void> check_text(std::string_view text) {
  const auto checked = jsoncons::unicode_traits::validate(text.data(), text.size());
  if (checked.ec == jsoncons::unicode_traits::conv_errc()) return {};
  return fail(ErrorClass::kFunction, "not_utf8",
              fmt::format("The text is not UTF-8: byte {}.", checked.ptr - text.data()));
}

Result<std::string> decode_base64(std::string_view text) {
  if (text.size() / 4 * 3 > kMaxParsedBytes) {
    return fail(ErrorClass::kFunction, "too_large",
                fmt::format("The bytes are more than {} MiB.", kMaxParsedBytes >> 20));
  }
  const auto value_of = [](char c) -> int {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
  };
  const auto invalid = [](std::size_t at) {
    return fail(ErrorClass::kFunction, "invalid_base64",
                fmt::format("The text is not base64: character {}.", at + 1));
  };
  if (text.size() % 4 != 0) return invalid(text.size());
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const int padding = !last ? 0 : text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const bool padded = j >= 4 - static_cast<std::size_t>(padding);
      const int value = padded ? 0 : value_of(text[i + j]);
      if (value < 0) return invalid(i + j);
      bits = bits << 6 | static_cast<std::uint32_t>(value);
    }
    for (int j = 0; j < 3 - padding; ++j) bytes += static_cast<char>(bits >> (16 - 8 * j) & 0xFF);
  }
  return bytes;
}

std::string encode_base64(std::string_view bytes) {
  std::string text;
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  jsoncons::encode_base64(data, data + bytes.size(), text);
  return text;
}

Result<Json> parse_json_text(std::string_view text) {
  if (auto size = check_size(text); !size) return fail(std::move(size.error()));
  return parse_json(text);
}

Result<std::vector<Json>> parse_csv(std::string_view text, const CsvOptions& options) {
  if (auto size = check_size(text); !size) return fail(std::move(size.error()));
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  if (has_too_many_cells(text, options.delimiter)) {
    return fail(ErrorClass::kFunction, "too_large",
                fmt::format("The text has more than {} cells.", kMaxCsvCells));
  }
  return CsvReader(text, options).read();
}

std::optional<BinaryType> binary_type(std::string_view name) {
  for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] == name) return static_cast<BinaryType>(i);
  }
  return std::nullopt;
}

std::size_t size_of(BinaryType type) {
  switch (type) {
    case BinaryType::kInt8:
    case BinaryType::kUint8:
    case BinaryType::kBit:
      return 1;
    case BinaryType::kInt16:
    case BinaryType::kUint16:
      return 2;
    case BinaryType::kInt32:
    case BinaryType::kUint32:
    case BinaryType::kFloat32:
      return 4;
    case BinaryType::kInt64:
    case BinaryType::kUint64:
    case BinaryType::kFloat64:
      return 8;
    default:
      return 0;
  }
}

std::optional<std::string> byte_places(BinaryType type, std::string_view order) {
  const std::size_t size = size_of(type);
  std::string places;
  for (std::size_t i = 0; i < size; ++i) {
    std::size_t at = i;
    if (order == "little") at = size - 1 - i;
    if (order == "bigSwapped") at = i ^ 1;
    if (order == "littleSwapped") at = (size - 1 - i) ^ 1;
    places += static_cast<char>('A' + at);
  }
  // Swapping needs pairs of bytes.
  if (order.ends_with("Swapped") && size < 4) return std::nullopt;
  return places;
}

Result<std::vector<Json>> parse_binary(std::string_view bytes, const BinaryLayout& layout) {
  if (auto size = check_size(bytes); !size) return fail(std::move(size.error()));
  std::vector<Json> records;
  const std::size_t step = layout.record_bytes == 0 ? bytes.size() : layout.record_bytes;
  if (layout.record_bytes != 0) {
    if (bytes.size() % step != 0) {
      return fail(ErrorClass::kFunction, "invalid_binary",
                  fmt::format("{} bytes are not a whole number of records of {} bytes.",
                              bytes.size(), step));
    }
    if (bytes.size() / step > kMaxBinaryRecords) {
      return fail(ErrorClass::kFunction, "too_large",
                  fmt::format("The bytes hold more than {} records.", kMaxBinaryRecords));
    }
  }
  std::size_t at = 0;
  do {
    if (layout.record_bytes != 0 && at >= bytes.size()) break;
    auto record = read_record(bytes.substr(at, step), layout);
    if (!record) return fail(std::move(record.error()));
    records.push_back(std::move(*record));
    at += step;
  } while (layout.record_bytes != 0);
  return records;
}

}  // namespace tributary::orchestrate::formats
