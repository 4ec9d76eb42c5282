#include "script/wire.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <jsoncons/utility/unicode_traits.hpp>

#include "model/object_builder.hpp"

namespace tributary::script::wire {

bool is_utf8(std::string_view text) {
  // Nearly everything is ASCII: eight bytes at once.
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t block = 0;
    std::memcpy(&block, text.data() + at, sizeof block);
    if ((block & 0x8080808080808080U) != 0) break;
  }
  const auto checked = jsoncons::unicode_traits::validate(text.data() + at, text.size() - at);
  return checked.ec == jsoncons::unicode_traits::conv_errc();
}

void Writer::varint(std::uint64_t value) {
  while (value >= 0x80) {
    byte(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  byte(static_cast<std::uint8_t>(value));
}

void Writer::zigzag(std::int64_t value) {
  varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

void Writer::real(double value) {
  std::array<char, sizeof value> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  out_.append(bytes.data(), bytes.size());
}

void Writer::text(std::string_view text) {
  varint(text.size());
  out_.append(text);
}

void Writer::fill_count(std::size_t at, std::uint32_t count) {
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint32_t more = i < 3 ? 0x80 : 0;
    out_[at + i] = static_cast<char>(((count >> (7 * i)) & 0x7F) | more);
  }
}

void Writer::value(const Json& json) {
  switch (json.type()) {
    case jsoncons::json_type::null_value:
      return tag(Tag::kNull);
    case jsoncons::json_type::bool_value:
      return tag(json.as<bool>() ? Tag::kTrue : Tag::kFalse);
    case jsoncons::json_type::int64_value:
      tag(Tag::kInt);
      return zigzag(json.as<std::int64_t>());
    case jsoncons::json_type::uint64_value: {
      const auto number = json.as<std::uint64_t>();
      if (number <= static_cast<std::uint64_t>(INT64_MAX)) {
        tag(Tag::kInt);
        return zigzag(static_cast<std::int64_t>(number));
      }
      tag(Tag::kUint);
      return varint(number);
    }
    case jsoncons::json_type::half_value:
    case jsoncons::json_type::double_value:
      tag(Tag::kDouble);
      return real(json.as<double>());
    case jsoncons::json_type::string_value:
      if (json.tag() == jsoncons::semantic_tag::bigint &&
          json.as_string_view().size() <= kMaxBigDigits) {
        tag(Tag::kBig);
        return text(json.as_string_view());
      }
      if (json.tag() == jsoncons::semantic_tag::bigdec) {
        tag(Tag::kDouble);
        return real(json.as<double>());
      }
      tag(Tag::kString);
      return text(json.as_string_view());
    case jsoncons::json_type::byte_string_value:
      tag(Tag::kString);
      return text(json.as<std::string>());
    case jsoncons::json_type::array_value:
      tag(Tag::kArray);
      varint(json.size());
      for (const Json& element : json.array_range()) value(element);
      return;
    case jsoncons::json_type::object_value:
      tag(Tag::kObject);
      varint(json.size());
      for (const auto& member : json.object_range()) {
        text(member.key());
        value(member.value());
      }
      return;
  }
  tag(Tag::kNull);
}

bool Reader::fail() {
  at_ = bytes_.size();
  failed_ = true;
  return false;
}

bool Reader::byte(std::uint8_t& value) {
  if (at_ >= bytes_.size()) return fail();
  value = static_cast<std::uint8_t>(bytes_[at_++]);
  return true;
}

bool Reader::tag(Tag& tag) {
  std::uint8_t value = 0;
  if (!byte(value)) return false;
  if (value > static_cast<std::uint8_t>(Tag::kObject)) return fail();
  tag = static_cast<Tag>(value);
  return true;
}

bool Reader::varint(std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    std::uint8_t next = 0;
    if (!byte(next)) return false;
    if (shift == 63 && next > 1) return fail();
    value |= static_cast<std::uint64_t>(next & 0x7F) << shift;
    if (next < 0x80) return true;
  }
  return fail();
}

bool Reader::count(std::size_t& value, std::size_t each) {
  std::uint64_t number = 0;
  if (!varint(number)) return false;
  if (number > (bytes_.size() - at_) / std::max<std::size_t>(each, 1)) return fail();
  value = static_cast<std::size_t>(number);
  return true;
}

bool Reader::zigzag(std::int64_t& value) {
  std::uint64_t number = 0;
  if (!varint(number)) return false;
  value = static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
  return true;
}

bool Reader::real(double& value) {
  if (bytes_.size() - at_ < sizeof value) return fail();
  std::memcpy(&value, bytes_.data() + at_, sizeof value);
  at_ += sizeof value;
  return true;
}

bool Reader::text(std::string_view& text) {
  std::size_t size = 0;
  if (!count(size, 1)) return false;
  text = bytes_.substr(at_, size);
  at_ += size;
  return true;
}

bool Reader::value(std::optional<Json>& json_out) {
  Tag first{};
  if (!tag(first)) return false;
  json_out.reset();
  if (first == Tag::kUndefined) return true;
  Json made;
  if (!json(first, made, 0)) return fail();
  json_out = std::move(made);
  return true;
}

bool Reader::json(Tag first, Json& out, int depth) {
  if (first == Tag::kArray) return depth < kMaxJsonDepth && array(out, depth);
  if (first == Tag::kObject) return depth < kMaxJsonDepth && object(out, depth);
  return scalar(first, out);
}

bool Reader::array(Json& out, int depth) {
  std::size_t size = 0;
  if (!count(size, 1)) return false;
  out = json_array();
  for (std::size_t i = 0; i < size; ++i) {
    Tag next{};
    Json element;
    if (!tag(next) || !json(next, element, depth + 1)) return false;
    out.push_back(std::move(element));
  }
  return true;
}

bool Reader::object(Json& out, int depth) {
  std::size_t size = 0;
  if (!count(size, 2)) return false;
  ObjectBuilder builder(size);
  for (std::size_t i = 0; i < size; ++i) {
    std::string_view name;
    Tag next{};
    Json member;
    if (!text(name) || !is_utf8(name) || !tag(next) || !json(next, member, depth + 1)) return false;
    builder.add(name, std::move(member));
  }
  out = builder.take();
  return true;
}

bool Reader::scalar(Tag tag, Json& out) {
  switch (tag) {
    case Tag::kNull:
      out = Json::null();
      return true;
    case Tag::kFalse:
    case Tag::kTrue:
      out = tag == Tag::kTrue;
      return true;
    case Tag::kInt: {
      std::int64_t number = 0;
      if (!zigzag(number)) return false;
      out = number;
      return true;
    }
    case Tag::kUint: {
      std::uint64_t number = 0;
      if (!varint(number)) return false;
      out = number;
      return true;
    }
    case Tag::kDouble: {
      double number = 0;
      if (!real(number)) return false;
      out = number;
      return true;
    }
    case Tag::kString: {
      std::string_view read;
      if (!text(read) || !is_utf8(read)) return fail();
      out = read;
      return true;
    }
    case Tag::kBig:
      return big(out);
    default:  // undefined stands only at the top
      return fail();
  }
}

bool Reader::big(Json& out) {
  std::string_view read;
  if (!text(read) || read.empty() || read.size() > kMaxBigDigits) return fail();
  const std::string_view digits = read[0] == '-' ? read.substr(1) : read;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return fail();
  out = Json(read, jsoncons::semantic_tag::bigint);
  return true;
}

}  // namespace tributary::script::wire
