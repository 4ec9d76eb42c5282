#include "model/value.hpp"

#include <cmath>

namespace tributary {
namespace {

constexpr std::int64_t kMaxSafeInteger = (std::int64_t{1} << 53) - 1;

std::string to_base64(const Bytes& bytes) {
  std::string text;
  auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  jsoncons::encode_base64(data, data + bytes.size(), text);
  return text;
}

struct JsonWriter {
  BigInt big;

  Json operator()(std::monostate) const { return Json::null(); }
  Json operator()(bool value) const { return Json(value); }
  Json operator()(std::int64_t value) const {
    bool safe = value >= -kMaxSafeInteger && value <= kMaxSafeInteger;
    return safe || big == BigInt::kNumber ? Json(value) : Json(std::to_string(value));
  }
  Json operator()(std::uint64_t value) const {
    bool safe = value <= static_cast<std::uint64_t>(kMaxSafeInteger);
    return safe || big == BigInt::kNumber ? Json(value) : Json(std::to_string(value));
  }
  Json operator()(double value) const { return std::isfinite(value) ? Json(value) : Json::null(); }
  Json operator()(const std::string& value) const { return Json(value); }
  Json operator()(const Bytes& value) const { return Json(to_base64(value)); }
  Json operator()(const Json& value) const { return value; }
};

std::optional<double> as_number(const Value& value) {
  if (auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (auto* natural = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*natural);
  if (auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

}  // namespace

Json to_json(const Value& value, BigInt big) {
  return std::visit(JsonWriter{big}, value);
}

Value from_json(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_bool()) return json.as_bool();
  if (json.is_int64()) return json.as<std::int64_t>();
  if (json.is_uint64()) return json.as<std::uint64_t>();
  if (json.is_string()) return json.as_string();
  if (json.is_double()) return json.as_double();
  return json;
}

std::optional<double> distance(const Value& a, const Value& b) {
  // Whole numbers are subtracted as whole numbers: beyond 2^53 a double would swallow the
  // difference (edge case 38).
  auto* left = std::get_if<std::int64_t>(&a);
  auto* right = std::get_if<std::int64_t>(&b);
  if (left != nullptr && right != nullptr) {
    auto high = static_cast<std::uint64_t>(std::max(*left, *right));
    auto low = static_cast<std::uint64_t>(std::min(*left, *right));
    return static_cast<double>(high - low);
  }
  auto* natural_left = std::get_if<std::uint64_t>(&a);
  auto* natural_right = std::get_if<std::uint64_t>(&b);
  if (natural_left != nullptr && natural_right != nullptr) {
    return static_cast<double>(std::max(*natural_left, *natural_right) -
                               std::min(*natural_left, *natural_right));
  }
  auto x = as_number(a);
  auto y = as_number(b);
  if (!x || !y) return std::nullopt;
  return std::abs(*x - *y);
}

}  // namespace tributary
