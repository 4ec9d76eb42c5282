// Types of the server, as far as values of them are told apart here. Everything travels in the
// server's text form, which every type has.
#pragma once

#include <cstdint>

namespace tributary::connectors::postgresql {

enum class Kind : std::uint8_t {
  kBool,
  kInteger,    // int2, int4, int8, oid
  kFloat,      // float4, float8
  kNumeric,    // any number of digits
  kText,       // text, varchar, char, name
  kJson,       // json, jsonb
  kBytes,      // bytea
  kTimestamp,  // without a zone
  kInstant,    // timestamp with time zone
  kTime,       // date, time, interval: as the server writes them
  kOther       // uuid, inet, enumerations …: as the server writes them
};

struct Type {
  Kind kind = Kind::kOther;
  bool array = false;
};

// A type by its object id, which never changes for built-in ones (pg_type.dat).
Type type_of(std::uint32_t object_id);

}  // namespace tributary::connectors::postgresql
