// What people may write: bodies of connections and functions, checked member by member. Pure.
#pragma once

#include <string>
#include <vector>

#include "connect/manager.hpp"

namespace tributary::connect {

using FieldErrors = std::vector<schema::FieldError>;

// Everything that is wrong with a whole connection body (as POST /connections), in order. The
// type's own schema included.
FieldErrors check_connection_body(const Json& body, const sdk::Registry& registry);
// Everything that is wrong with a whole function body for a connection of type `type`.
FieldErrors check_function_body(const Json& body, const sdk::Entry& type);

// The members of a stored row as a body: what a merge patch is applied to. Without secrets.
Json to_body(const store::ConnectionRow& row);
Json to_body(const store::FunctionRow& row);
// Takes the members of a valid body into a row; absent members get their defaults.
void from_body(const Json& body, store::ConnectionRow& row);
void from_body(const Json& body, store::FunctionRow& row);

// Members that nobody may change afterwards.
FieldErrors check_unchanged(const Json& patch, std::string_view member, const std::string& present);

// An error of a connector's check as a field error; `fallback` where it does not say which member.
schema::FieldError to_field_error(const Error& error, std::string_view fallback);

}  // namespace tributary::connect
