// Who may ask: users, sessions and tokens. One role exists so far, "admin"; the rest follows with
// the security issue.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "model/json.hpp"
#include "runtime/task.hpp"
#include "store/store.hpp"

namespace tributary::auth {

struct Principal {
  std::string name;  // for the audit and the history: "admin", "token:ci"
  std::string role;
  std::string session;  // hash of the session; empty for tokens
};

struct NewSession {
  std::string cookie;  // 256 bits, base64url; only its SHA-256 is stored
  Principal principal;
};

struct TokenInfo {
  std::string id, name, role;
  UtcTime created_at;
  std::optional<UtcTime> expires_at, last_used_at;
};

// Lives on the control executor; password hashing runs on a lane of its own (two at once at most).
class Auth {
 public:
  Auth(store::Store& store, Clock& clock, Executor control);
  ~Auth();
  Result<void> load();  // blocking; at start

  // The one-time setup code ("7F3K-Q2MD"); empty when there is a user already. Valid 15 minutes
  // from this call; calling it again makes a new one. Only while there is no user.
  std::string make_setup_code();
  bool needs_setup() const;

  // POST /auth/setup: makes the administrator. Errors, kFunction: "setup_done", "setup_code_wrong",
  // "setup_code_expired", "weak_password" (pointer "/password"), "invalid_username" (pointer
  // "/username").
  Task<Result<NewSession>> setup(std::string code, std::string username, Secret password);
  // Errors: kIdentity "invalid_credentials" (same text and time for unknown users), kBusy
  // "too_many_attempts" with retry_after_ms (10 a minute per account and address).
  Task<Result<NewSession>> login(std::string username, Secret password, std::string address);
  Task<Result<void>> logout(const Principal& principal);

  // Fast, from memory. kIdentity "not_authenticated" otherwise. Sessions end after 30 min idle and
  // 12 h in all.
  Result<Principal> check_token(std::string_view bearer);
  Result<Principal> check_session(std::string_view cookie);
  // Whether check_session would succeed, without counting as use: an open stream must not keep a session alive.
  bool is_session_alive(std::string_view cookie) const;

  // The token's text, shown once. "trb_" + 256 bits + checksum.
  Task<Result<std::string>> create_token(std::string name, std::string role,
                                         std::optional<UtcTime> expires_at);
  std::vector<TokenInfo> tokens() const;
  Task<Result<void>> revoke_token(std::string id);

  // For `tributary token create` while no server runs. Blocking.
  static Result<std::string> create_token_offline(store::Store& store, const Clock& clock,
                                                  std::string name, std::string role);

  // How many passwords were hashed or checked so far: for metrics, and for the test that unknown
  // users cost the same.
  std::int64_t password_computations() const;

  // One row in the audit trail.
  void audit(const Principal& who, std::string action, std::string target, Json detail);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::auth
