#include "connectors/postgresql/src/types.hpp"

#include <algorithm>
#include <array>

namespace tributary::connectors::postgresql {
namespace {

struct Row {
  std::uint32_t type;
  std::uint32_t array;
  Kind kind;
};

constexpr auto kRows = std::to_array<Row>({
    {16, 1000, Kind::kBool},         // bool
    {17, 1001, Kind::kBytes},        // bytea
    {18, 1002, Kind::kText},         // "char"
    {19, 1003, Kind::kText},         // name
    {20, 1016, Kind::kInteger},      // int8
    {21, 1005, Kind::kInteger},      // int2
    {23, 1007, Kind::kInteger},      // int4
    {25, 1009, Kind::kText},         // text
    {26, 1028, Kind::kInteger},      // oid
    {114, 199, Kind::kJson},         // json
    {700, 1021, Kind::kFloat},       // float4
    {701, 1022, Kind::kFloat},       // float8
    {705, 0, Kind::kText},           // unknown: a literal without a type
    {1042, 1014, Kind::kText},       // bpchar
    {1043, 1015, Kind::kText},       // varchar
    {1082, 1182, Kind::kTime},       // date
    {1083, 1183, Kind::kTime},       // time
    {1114, 1115, Kind::kTimestamp},  // timestamp
    {1184, 1185, Kind::kInstant},    // timestamptz
    {1186, 1187, Kind::kTime},       // interval
    {1266, 1270, Kind::kTime},       // timetz
    {1700, 1231, Kind::kNumeric},    // numeric
    {2950, 2951, Kind::kOther},      // uuid
    {3802, 3807, Kind::kJson},       // jsonb
});

}  // namespace

Type type_of(std::uint32_t object_id) {
  for (const Row& row : kRows) {
    if (row.type == object_id) return {row.kind, false};
    if (row.array == object_id && row.array != 0) return {row.kind, true};
  }
  return {};
}

}  // namespace tributary::connectors::postgresql
