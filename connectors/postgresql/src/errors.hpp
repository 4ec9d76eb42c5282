// What the server and libpq say, as classified errors. Codes: PostgreSQL 15, appendix A.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

struct pg_result;

namespace tributary::connectors::postgresql {

// What a server's error message says, field by field (PostgreSQL 15, section 55.8).
struct ServerError {
  std::string severity;  // "ERROR", "FATAL", "PANIC": not translated
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  std::string column;
  std::string constraint;
  std::string context;
  int position = 0;  // in characters, from 1; 0: none

  static ServerError of(const pg_result* result);
  bool ends_session() const { return severity == "FATAL" || severity == "PANIC"; }
};

// What was being done when the error came: the same code means different things.
enum class Purpose : std::uint8_t { kLogin, kQuery, kWrite, kCommand };

// Class and stable code by SQLSTATE: "unique_violation", or "sqlstate_23p01" for those without a
// name here. A write that a server at its limits, a lock or a deadlock kept from happening is
// kBusy, because it can be repeated; a query is kFunction then.
Error to_error(const ServerError& error, Purpose purpose, std::string_view peer);

// The server answered something that is not its protocol, or nothing.
Error protocol_error(std::string_view peer, std::string_view what);
Error closed(std::string_view peer, bool logged_in);
Error no_answer(std::string_view peer, std::string_view to_what);
Error tls_refused(std::string_view peer);
Error cleartext_password_refused(std::string_view peer);
Error cancelled();

}  // namespace tributary::connectors::postgresql
