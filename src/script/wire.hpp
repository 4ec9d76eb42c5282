// How values travel between the hub and a script worker: a compact binary form that keeps 64-bit
// integers, NaN and the order of members. The hub reads it as what it is, bytes from somebody who
// may lie: every length is checked against what is there, depth is bounded, text must be UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/json.hpp"

namespace tributary::script::wire {

// The first byte of a value.
enum class Tag : std::uint8_t {
  kUndefined = 0,
  kNull = 1,
  kFalse = 2,
  kTrue = 3,
  kInt = 4,     // zigzag varint
  kUint = 5,    // varint; only what does not fit into kInt
  kDouble = 6,  // 8 bytes, little endian
  kString = 7,  // varint bytes, UTF-8
  kBig = 8,     // as kString: decimal digits of a whole number beyond 64 bits
  kArray = 9,   // varint elements
  kObject = 10  // varint members: name, value
};

constexpr std::size_t kMaxBigDigits = 4096;

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void tag(Tag tag) { byte(static_cast<std::uint8_t>(tag)); }
  void varint(std::uint64_t value);
  void zigzag(std::int64_t value);
  void real(double value);
  void text(std::string_view text);
  void value(const Json& json);
  std::size_t size() const { return out_.size(); }
  void cut(std::size_t size) { out_.resize(size); }
  // Overwrites the four bytes at `at` with a count below 2^28, as a varint of just that length.
  void fill_count(std::size_t at, std::uint32_t count);

 private:
  std::string& out_;
};

// Every read says whether the bytes were there; after a failure the reader stays at its end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool byte(std::uint8_t& value);
  bool tag(Tag& tag);
  bool varint(std::uint64_t& value);
  // A varint that counts things of at least `each` bytes, all of which must be there.
  bool count(std::size_t& value, std::size_t each);
  bool zigzag(std::int64_t& value);
  bool real(double& value);
  bool text(std::string_view& text);  // not checked for UTF-8
  // nullopt in `json`: undefined. False for anything malformed.
  bool value(std::optional<Json>& json);
  bool at_end() const { return at_ == bytes_.size() && !failed_; }
  std::size_t position() const { return at_; }

 private:
  bool fail();
  bool json(Tag tag, Json& out, int depth);
  bool array(Json& out, int depth);
  bool object(Json& out, int depth);
  bool scalar(Tag tag, Json& out);
  bool big(Json& out);

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

bool is_utf8(std::string_view text);

}  // namespace tributary::script::wire
