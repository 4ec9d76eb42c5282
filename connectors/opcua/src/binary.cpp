#include "connectors/opcua/src/binary.hpp"

#include "connectors/opcua/src/ua.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr int kDeepest = 16;

// Walks over values. Once something does not fit, nothing does.
class Walk {
 public:
  explicit Walk(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::optional<std::size_t> end() const { return fits_ ? std::optional(at_) : std::nullopt; }
  void value(std::uint32_t kind, int depth);

 private:
  void skip(std::size_t count) {
    fits_ = fits_ && count <= bytes_.size() - at_;
    if (fits_) at_ += count;
  }
  std::uint32_t number(std::size_t size) {
    const std::size_t begin = at_;
    skip(size);
    std::uint32_t value = 0;
    for (std::size_t i = size; fits_ && i > 0; --i)
      value = value << 8U | std::to_integer<std::uint32_t>(bytes_[begin + i - 1]);
    return value;
  }
  void text() {
    const auto length = static_cast<std::int32_t>(number(4));
    if (length > 0) skip(static_cast<std::size_t>(length));
  }
  void node_id();
  void localized();
  void extension();
  void data_value(int depth);
  void variant(int depth);
  void diagnostics(int depth);

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool fits_ = true;
};

void Walk::node_id() {
  constexpr std::uint32_t kUri = 0x80;
  constexpr std::uint32_t kServer = 0x40;
  const std::uint32_t first = number(1);
  switch (first & ~(kUri | kServer)) {
    case 0:
      skip(1);
      break;
    case 1:
      skip(3);
      break;
    case 2:
      skip(2 + 4);
      break;
    case 3:
    case 5:
      skip(2);
      text();
      break;
    case 4:
      skip(2 + 16);
      break;
    default:
      fits_ = false;
  }
  if ((first & kUri) != 0) text();
  if ((first & kServer) != 0) skip(4);
}

void Walk::localized() {
  const std::uint32_t has = number(1);
  if ((has & 1U) != 0) text();
  if ((has & 2U) != 0) text();
}

void Walk::extension() {
  node_id();
  const std::uint32_t body = number(1);
  if (body == 1 || body == 2) text();
  if (body > 2) fits_ = false;
}

void Walk::data_value(int depth) {
  const std::uint32_t has = number(1);
  if ((has & 0x01U) != 0) variant(depth + 1);
  if ((has & 0x02U) != 0) skip(4);
  for (const std::uint32_t time : {0x04U, 0x08U}) {
    if ((has & time) != 0) skip(8);
    if ((has & time << 2U) != 0) skip(2);
  }
}

void Walk::variant(int depth) {
  constexpr std::uint32_t kList = 0x80;
  constexpr std::uint32_t kMatrix = 0x40;
  const std::uint32_t first = number(1);
  const std::uint32_t type = first & ~(kList | kMatrix);
  if (type == 0 || depth > kDeepest) {
    fits_ = fits_ && first == 0;
    return;
  }
  std::uint32_t count = 1;
  if ((first & kList) != 0) {
    const auto length = static_cast<std::int32_t>(number(4));
    count = length > 0 ? static_cast<std::uint32_t>(length) : 0;
  }
  // Every value has at least one byte: the loop ends with the bytes.
  for (std::uint32_t i = 0; i < count && fits_; ++i) value(type - 1, depth + 1);
  if ((first & kMatrix) == 0) return;
  const auto dimensions = static_cast<std::int32_t>(number(4));
  if (dimensions > 0) skip(4 * static_cast<std::size_t>(dimensions));
}

void Walk::diagnostics(int depth) {
  const std::uint32_t has = number(1);
  for (const std::uint32_t each : {0x01U, 0x02U, 0x04U, 0x08U}) {
    if ((has & each) != 0) skip(4);
  }
  if ((has & 0x10U) != 0) text();
  if ((has & 0x20U) != 0) skip(4);
  if ((has & 0x40U) == 0) return;
  if (depth > kDeepest) fits_ = false;
  if (fits_) diagnostics(depth + 1);
}

void Walk::value(std::uint32_t kind, int depth) {
  switch (kind) {
    case UA_DATATYPEKIND_BOOLEAN:
    case UA_DATATYPEKIND_SBYTE:
    case UA_DATATYPEKIND_BYTE:
      return skip(1);
    case UA_DATATYPEKIND_INT16:
    case UA_DATATYPEKIND_UINT16:
      return skip(2);
    case UA_DATATYPEKIND_INT32:
    case UA_DATATYPEKIND_UINT32:
    case UA_DATATYPEKIND_FLOAT:
    case UA_DATATYPEKIND_STATUSCODE:
      return skip(4);
    case UA_DATATYPEKIND_INT64:
    case UA_DATATYPEKIND_UINT64:
    case UA_DATATYPEKIND_DOUBLE:
    case UA_DATATYPEKIND_DATETIME:
      return skip(8);
    case UA_DATATYPEKIND_GUID:
      return skip(16);
    case UA_DATATYPEKIND_STRING:
    case UA_DATATYPEKIND_BYTESTRING:
    case UA_DATATYPEKIND_XMLELEMENT:
      return text();
    case UA_DATATYPEKIND_NODEID:
    case UA_DATATYPEKIND_EXPANDEDNODEID:
      return node_id();
    case UA_DATATYPEKIND_QUALIFIEDNAME:
      skip(2);
      return text();
    case UA_DATATYPEKIND_LOCALIZEDTEXT:
      return localized();
    case UA_DATATYPEKIND_EXTENSIONOBJECT:
      return extension();
    case UA_DATATYPEKIND_DATAVALUE:
      return data_value(depth);
    case UA_DATATYPEKIND_VARIANT:
      return variant(depth);
    case UA_DATATYPEKIND_DIAGNOSTICINFO:
      return diagnostics(depth);
    default:
      fits_ = false;
  }
}

}  // namespace

std::optional<std::size_t> encoded_size(std::uint32_t kind, std::span<const std::byte> bytes) {
  Walk walk(bytes);
  walk.value(kind, 0);
  return walk.end();
}

}  // namespace tributary::connectors::opcua
