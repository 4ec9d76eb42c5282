// What several node types share: fields by path, expressions of settings, keys, and the order in
// which held documents come due.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {

constexpr std::size_t kMaxPathDepth = 16;
// Of a key that an expression gives (JSON text).
constexpr std::size_t kMaxKeyBytes = 512;
// Records that one node holds, all together; beyond it the node's overflow policy applies.
constexpr std::int64_t kMaxHeldBytes = 64LL << 20;

// ---- fields ----

// "a.b\.c" → {"a", "b.c"}. An empty part, or more than kMaxPathDepth of them, is no path.
using FieldPath = std::vector<std::string>;
std::optional<FieldPath> parse_path(std::string_view name);
// Reads the setting at `below` as a path; an empty one (and an error) when it is none.
FieldPath read_path(const NodeBuild& build, const std::string& below, std::string_view name);
// Sets or removes a field; what is in the way and is no object is replaced by one.
void assign(Json& record, const FieldPath& path, std::optional<Json> value);
const Json* find_path(const Json& record, const FieldPath& path);
// A record that is no object becomes one, with the value in the field "value".
void make_object(Json& record);

// ---- expressions ----

// A setting that is exactly one {{ expression }}; nullopt when it is absent, or (with an error)
// something else.
std::optional<expression::Template> read_expression(NodeBuild& build, const Json& settings,
                                                    std::string_view member,
                                                    std::string_view below = "/settings");
// A text with expressions in it; nullopt when it is absent or does not compile.
std::optional<expression::Template> read_text(NodeBuild& build, const Json& settings,
                                              std::string_view member,
                                              std::string_view below = "/settings");

// The value of a key expression as JSON text, "" without an expression. Errors, kFunction: what the
// expression says; "key_too_long".
Result<std::string> key_of(const std::optional<expression::Template>& key,
                           const expression::Scope& scope);
// What key_of made of it; null for "" and undefined.
Json value_of_key(const std::string& key);

// ---- order ----

// Keys that sort by time, and by number: prefix, 20 digits, ':', rest.
std::string ordered_key(std::string_view prefix, std::uint64_t number, std::string_view rest = {});
std::string time_key(std::string_view prefix, UtcTime time, std::string_view rest = {});
// The number that ordered_key put behind a prefix, and what stands behind the number.
std::uint64_t number_of(std::string_view key, std::string_view prefix);
UtcTime time_of(std::string_view key, std::string_view prefix);
std::string rest_of(std::string_view key, std::string_view prefix);
// The first document with a prefix that sorts by time; nullopt when there is none.
std::optional<UtcTime> first_time(const NodeState& state, std::string_view prefix);

// About what a document takes in memory.
std::int64_t approximate_bytes(const Json& json);

}  // namespace tributary::orchestrate
