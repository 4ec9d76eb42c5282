#include "connectors/opcua/src/structures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "connectors/opcua/src/binary.hpp"

namespace tributary::connectors::opcua {
namespace {

// Memory for one value of a built-in type.
class Leaf {
 public:
  explicit Leaf(const UA_DataType& type) : type_(type) { UA_init(memory_.data(), &type_); }
  ~Leaf() { UA_clear(memory_.data(), &type_); }
  Leaf(const Leaf&) = delete;
  Leaf& operator=(const Leaf&) = delete;
  void* at() { return memory_.data(); }

 private:
  const UA_DataType& type_;
  alignas(std::max_align_t) std::array<std::byte, sizeof(UA_DataValue)> memory_;
};

bool fits_leaf(const UA_DataType& type) {
  return type.memSize <= sizeof(UA_DataValue);
}

const UA_DataType& wire_of(const StructureField& field) {
  const UA_DataType* const wire = field.type.wire;
  const bool tells_its_type = field.subtyped && wire != &UA_TYPES[UA_TYPES_EXTENSIONOBJECT];
  return wire == nullptr || tells_its_type ? UA_TYPES[UA_TYPES_VARIANT] : *wire;
}

// Without an ExtensionObject around it.
bool is_inline(const StructureField& field) {
  return field.type.structure != nullptr && !field.subtyped && !field.type.abstract;
}

class Decoder {
 public:
  Decoder(std::span<const std::byte> body, const ValueContext& context)
      : rest_(body), context_(context), left_(body.size() + kMostEmpty) {}

  bool structure(const StructureType& type, int depth, Json& out);
  bool at_end() const { return rest_.empty(); }

 private:
  // Values without bytes (structures without fields): a list of them could have any length.
  static constexpr std::size_t kMostEmpty = 10'000;

  bool number(std::uint32_t& value) {
    if (rest_.size() < sizeof value) return false;
    value = 0;
    for (std::size_t i = sizeof value; i > 0; --i)
      value = value << 8U | std::to_integer<std::uint32_t>(rest_[i - 1]);
    rest_ = rest_.subspan(sizeof value);
    return true;
  }
  bool length(std::size_t& count) {
    std::uint32_t value = 0;
    if (!number(value)) return false;
    count = static_cast<std::int32_t>(value) > 0 ? value : 0;
    return count <= left_;
  }
  bool leaf(const UA_DataType& type, int depth, Json& out);
  void name_type(const UA_ExtensionObject& object, Json& out) const;
  bool one(const StructureField& field, int depth, Json& out);
  bool list(const StructureField& field, int depth, Json& out);
  bool field(const StructureField& field, int depth, Json& out);

  std::span<const std::byte> rest_;
  const ValueContext& context_;
  std::size_t left_;  // values that may still come
};

bool Decoder::leaf(const UA_DataType& type, int depth, Json& out) {
  const auto size = encoded_size(type.typeKind, rest_);
  if (!size || !fits_leaf(type)) return false;
  const UA_ByteString slice{*size,
                            reinterpret_cast<UA_Byte*>(const_cast<std::byte*>(rest_.data()))};
  Leaf value(type);
  if (UA_decodeBinary(&slice, value.at(), &type, nullptr) != UA_STATUSCODE_GOOD) return false;
  out = element(value.at(), type, context_, depth);
  if (type.typeKind == UA_DATATYPEKIND_EXTENSIONOBJECT)
    name_type(*static_cast<const UA_ExtensionObject*>(value.at()), out);
  rest_ = rest_.subspan(*size);
  return true;
}

// One that is wrapped within another is of a type that the field leaves open.
void Decoder::name_type(const UA_ExtensionObject& object, Json& out) const {
  const bool undecoded =
      out.is_object() && out.size() == 2 && out.contains("typeId") && out.contains("body");
  if (!out.is_object() || undecoded) return;
  std::string name;
  if (object.encoding >= UA_EXTENSIONOBJECT_DECODED) {
    name = object.content.decoded.type->typeName;
  } else if (const auto* type = context_.catalog.by_encoding(object.content.encoded.typeId)) {
    name = type->name;
  }
  if (name.empty()) return;
  Json named = json_object();
  named.insert_or_assign(kTypeMember, name);
  for (auto& member : out.object_range())
    named.insert_or_assign(member.key(), std::move(member.value()));
  out = std::move(named);
}

bool Decoder::one(const StructureField& field, int depth, Json& out) {
  if (left_ == 0 || !field.type.known) return false;
  --left_;
  if (is_inline(field)) return structure(*field.type.structure, depth + 1, out);
  if (!leaf(wire_of(field), depth + 1, out)) return false;
  show_names(out, field.type.enumeration, context_);
  return true;
}

bool Decoder::list(const StructureField& field, int depth, Json& out) {
  std::size_t count = 0;
  if (!length(count)) return false;
  std::vector<UA_UInt32> dimensions;
  if (field.rank > 1) {
    // How many there are in each dimension; then all values.
    std::uint64_t all = count == 0 ? 0 : 1;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t each = 0;
      if (!number(each)) return false;
      dimensions.push_back(each);
      all *= each;
      if (all > left_) return false;
    }
    count = static_cast<std::size_t>(all);
  }
  std::vector<Json> flat;
  for (std::size_t i = 0; i < count; ++i) {
    flat.emplace_back();
    if (!one(field, depth, flat.back())) return false;
  }
  out = nested(flat, count == 0 ? std::span<const UA_UInt32>{} : dimensions);
  return true;
}

bool Decoder::field(const StructureField& field, int depth, Json& out) {
  return field.rank == -1 ? one(field, depth, out) : list(field, depth, out);
}

bool Decoder::structure(const StructureType& type, int depth, Json& out) {
  if (depth > kDeepestValue) return false;
  out = json_object();
  const auto take = [&](const StructureField& each) {
    Json value;
    if (!field(each, depth, value)) return false;
    out.insert_or_assign(each.name, std::move(value));
    return true;
  };
  if (type.kind == StructureType::Kind::kPlain) return std::ranges::all_of(type.fields, take);
  std::uint32_t head = 0;
  if (!number(head)) return false;
  if (type.kind == StructureType::Kind::kUnion) {
    if (head > type.fields.size()) return false;
    return head == 0 || take(type.fields[head - 1]);
  }
  std::uint32_t bit = 1;  // of the next optional field
  for (const StructureField& each : type.fields) {
    const bool there = !each.optional || (head & bit) != 0;
    if (each.optional) bit <<= 1U;
    if (there && !take(each)) return false;
  }
  return true;
}

// ---- back ----

class Encoder {
 public:
  explicit Encoder(const ValueContext& context) : context_(context) {}
  Result<void> structure(const Json& json, const StructureType& type, int depth);
  std::string take() { return std::move(out_); }

 private:
  void number(std::uint32_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8)
      out_.push_back(static_cast<char>(value >> shift));
  }
  Result<void> leaf(const Json& json, const StructureField& field);
  Result<void> one(const Json& json, const StructureField& field, int depth);
  Result<void> field(const Json& json, const StructureField& field, int depth);
  Result<void> names_known(const Json& json, const StructureType& type) const;
  Result<void> union_of(const Json& json, const StructureType& type, int depth);

  const ValueContext& context_;
  std::string out_;
};

std::unexpected<Error> within(Error error, const std::string& place) {
  error.pointer = "/" + escape_pointer(place) + error.pointer;
  return fail(std::move(error));
}

Result<void> Encoder::leaf(const Json& json, const StructureField& field) {
  const UA_DataType& type = wire_of(field);
  if (!fits_leaf(type))
    return refuse("type_not_supported",
                  fmt::format("Fields of the type {} cannot be written", type.typeName));
  Leaf value(type);
  const TargetType target{&type, false, true, field.type.abstract ? nullptr : field.type.structure,
                          field.type.enumeration};
  TRIBUTARY_TRY(put(json, target, context_, value.at()));
  UA_ByteString bytes = UA_BYTESTRING_NULL;
  const auto encoded = UA_encodeBinary(value.at(), &type, &bytes);
  out_ += view(bytes);
  UA_ByteString_clear(&bytes);
  if (encoded == UA_STATUSCODE_GOOD) return {};
  return refuse("type_not_supported", fmt::format("{} cannot be encoded", shown(json)));
}

Result<void> Encoder::one(const Json& json, const StructureField& field, int depth) {
  if (!field.type.known)
    return refuse("type_not_supported", "The server does not say what this field is");
  return is_inline(field) ? structure(json, *field.type.structure, depth + 1) : leaf(json, field);
}

Result<void> Encoder::field(const Json& json, const StructureField& field, int depth) {
  if (field.rank == -1) return one(json, field, depth);
  if (!json.is_array())
    return refuse("wrong_type", fmt::format("{} is no list, but the field is one", shown(json)));
  std::vector<const Json*> flat;
  std::vector<UA_UInt32> dimensions;
  if (field.rank <= 1) {
    number(static_cast<std::uint32_t>(json.size()));
    for (const Json& each : json.array_range()) flat.push_back(&each);
  } else {
    const auto rank = static_cast<std::size_t>(field.rank);
    if (!flatten(json, 0, flat, dimensions) || (dimensions.size() != rank && !flat.empty()))
      return refuse("wrong_type",
                    fmt::format("{} is no matrix of {} dimensions with rows of one length",
                                shown(json), rank));
    dimensions.resize(rank);
    number(static_cast<std::uint32_t>(dimensions.size()));
    for (const UA_UInt32 each : dimensions) number(each);
  }
  for (std::size_t i = 0; i < flat.size(); ++i) {
    if (auto done = one(*flat[i], field, depth); !done)
      return within(std::move(done.error()), std::to_string(i));
  }
  return {};
}

// A mistyped name would otherwise be left out in silence.
Result<void> Encoder::names_known(const Json& json, const StructureType& type) const {
  for (const auto& member : json.object_range()) {
    if (std::ranges::find(type.fields, member.key(), &StructureField::name) != type.fields.end())
      continue;
    std::string names;
    for (const StructureField& each : type.fields) names += (names.empty() ? "" : ", ") + each.name;
    auto refused =
        refuse("unknown_field", fmt::format("{} has no field {}", type.name, member.key()),
               fmt::format("Its fields: {}.", names));
    return within(std::move(refused.error()), std::string(member.key()));
  }
  return {};
}

Result<void> Encoder::union_of(const Json& json, const StructureType& type, int depth) {
  if (json.size() > 1)
    return refuse("wrong_type", fmt::format("{} is a union: it holds one member, not {}", type.name,
                                            json.size()));
  if (json.empty()) {
    number(0);
    return {};
  }
  const auto& member = *json.object_range().begin();
  const auto found = std::ranges::find(type.fields, member.key(), &StructureField::name);
  number(static_cast<std::uint32_t>(found - type.fields.begin() + 1));
  auto done = field(member.value(), *found, depth);
  if (!done) return within(std::move(done.error()), found->name);
  return {};
}

Result<void> Encoder::structure(const Json& json, const StructureType& type, int depth) {
  if (!json.is_object())
    return refuse("wrong_type",
                  fmt::format("{} is no object, as {} wants it", shown(json), type.name));
  if (depth > kDeepestValue) return refuse("wrong_type", "The structure is nested too deeply");
  TRIBUTARY_TRY(names_known(json, type));
  if (type.kind == StructureType::Kind::kUnion) return union_of(json, type, depth);
  const auto has = [&json](const StructureField& each) {
    return json.contains(each.name) && !(each.optional && json.at(each.name).is_null());
  };
  if (type.kind == StructureType::Kind::kOptionalFields) {
    std::uint32_t mask = 0;
    std::uint32_t bit = 1;
    for (const StructureField& each : type.fields) {
      if (!each.optional) continue;
      if (has(each)) mask |= bit;
      bit <<= 1U;
    }
    number(mask);
  }
  for (const StructureField& each : type.fields) {
    if (!has(each)) {
      if (each.optional) continue;
      auto refused =
          refuse("missing_field", fmt::format("{} wants a field {}", type.name, each.name),
                 "A structure is written as a whole.");
      return within(std::move(refused.error()), each.name);
    }
    if (auto done = field(json.at(each.name), each, depth); !done)
      return within(std::move(done.error()), each.name);
  }
  return {};
}

}  // namespace

std::optional<Json> decode_structure(std::span<const std::byte> body, const StructureType& type,
                                     const ValueContext& context, int depth) {
  Decoder decoder(body, context);
  Json json;
  if (!decoder.structure(type, depth, json) || !decoder.at_end()) return std::nullopt;
  return json;
}

Result<std::string> encode_structure(const Json& json, const StructureType& type,
                                     const ValueContext& context) {
  Encoder encoder(context);
  TRIBUTARY_TRY(encoder.structure(json, type, 0));
  return encoder.take();
}

}  // namespace tributary::connectors::opcua
