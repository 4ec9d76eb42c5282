#include "auth/auth.hpp"

#include <sodium.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <unordered_map>

#include "auth/credentials.hpp"
#include "auth/limiter.hpp"
#include "auth/password.hpp"
#include "base/id.hpp"
#include "runtime/lane.hpp"
#include "runtime/log.hpp"
#include "store/repositories.hpp"

namespace tributary::auth {

namespace {

constexpr Duration kSessionIdle = std::chrono::minutes{30};
constexpr Duration kSessionLife = std::chrono::hours{12};
constexpr std::size_t kSessionsPerUser = 10;
constexpr Duration kSetupCodeLife = std::chrono::minutes{15};
constexpr int kSetupTries = 10;
// How often "last seen" and "last used" are written down.
constexpr Duration kTouchInterval = std::chrono::minutes{1};
// Each password takes 64 MiB and a core for 0.2 s: two at once, a short queue, and the rest is told
// to come back.
constexpr std::size_t kHashLanes = 2;
constexpr std::size_t kWaitingPerLane = 16;
constexpr std::int64_t kRetryWhenFullMs = 2000;
constexpr std::size_t kMaxNameCharacters = 64;

Error not_authenticated() {
  return {ErrorClass::kIdentity, "not_authenticated", "You are not signed in, or no longer."};
}

Error too_many_attempts(std::int64_t retry_after_ms) {
  Error error(ErrorClass::kBusy, "too_many_attempts", "There were too many attempts to sign in.",
              "Wait a minute, then try again.");
  error.retry_after_ms = retry_after_ms;
  return error;
}

Error invalid_credentials() {
  return {ErrorClass::kIdentity, "invalid_credentials", "The user name or the password is wrong."};
}

Error setup_done() {
  return {ErrorClass::kFunction, "setup_done", "This server has its administrator already."};
}

bool is_name(std::string_view name) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= kMaxNameCharacters && alphanumeric(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return alphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '@';
         });
}

Result<void> check_username(std::string_view username) {
  if (is_name(username)) return {};
  return fail(ErrorClass::kFunction, "invalid_username",
              "A user name has 1 to 64 letters, digits, dots, dashes, underscores or @ and starts "
              "with a letter or digit.",
              "", "/username");
}

Result<void> check_token_request(const std::string& name, const std::string& role,
                                 const std::optional<UtcTime>& expires_at, UtcTime now) {
  if (!is_name(name)) {
    return fail(ErrorClass::kFunction, "invalid_name",
                "A token's name has 1 to 64 letters, digits, dots, dashes, underscores or @.", "",
                "/name");
  }
  if (role != "admin") {
    return fail(ErrorClass::kFunction, "invalid_role",
                fmt::format("There is no role \"{}\".", role), "The only role so far is \"admin\".",
                "/role");
  }
  if (expires_at && *expires_at <= now) {
    return fail(ErrorClass::kFunction, "invalid_expiry", "The token would have expired already.",
                "", "/expiresAt");
  }
  return {};
}

store::TokenRow token_row(const std::string& text, std::string name, std::string role,
                          std::optional<UtcTime> expires_at, UtcTime now) {
  store::TokenRow row;
  row.id = make_id(now);
  row.name = std::move(name);
  row.hash = sha256_hex(text);
  row.role = std::move(role);
  row.created_at = now;
  row.expires_at = expires_at;
  return row;
}

Json detail_of(std::string_view name, const std::string& value) {
  Json detail = json_object();
  detail.insert_or_assign(name, value);
  return detail;
}

struct Session {
  store::SessionRow row;
  SteadyTime created;
  SteadyTime seen;
  SteadyTime written;
};

struct Token {
  store::TokenRow row;
  std::optional<SteadyTime> touched;
};

struct SetupCode {
  std::string text;
  SteadyTime expires;
  int wrong_tries = 0;
};

// Two threads that hash, and how much each has to do.
class Hashers {
 public:
  Task<Result<std::string>> hash(Secret password) {
    std::move_only_function<Result<std::string>()> job = [this, secret = std::move(password)] {
      ++computations_;
      return hash_password(secret);
    };
    co_return co_await run<std::string>(std::move(job));
  }
  Task<Result<bool>> verify(std::string hash, Secret password) {
    std::move_only_function<Result<bool>()> job = [this, hash = std::move(hash),
                                                   secret = std::move(password)] {
      ++computations_;
      return Result<bool>(verify_password(hash, secret));
    };
    co_return co_await run<bool>(std::move(job));
  }
  std::int64_t computations() const { return computations_; }

 private:
  template <typename T>
  Task<Result<T>> run(std::move_only_function<Result<T>()> job) {
    const std::size_t index = busy_[0] <= busy_[1] ? 0 : 1;
    ++busy_[index];
    Result<T> result = co_await lanes_[index].run<T>(std::move(job));
    --busy_[index];
    if (!result && result.error().code == "lane_full")
      co_return fail(too_many_attempts(kRetryWhenFullMs));
    co_return result;
  }

  std::atomic<std::int64_t> computations_ = 0;
  std::array<int, kHashLanes> busy_{};
  std::array<Lane, kHashLanes> lanes_{Lane("auth-hash-1", kWaitingPerLane),
                                      Lane("auth-hash-2", kWaitingPerLane)};
};

}  // namespace

struct Auth::Impl {
  Impl(store::Store& store_, Clock& clock_) : store(store_), clock(clock_) {}

  store::Store& store;
  Clock& clock;
  std::map<std::string, store::UserRow> users;        // by id
  std::unordered_map<std::string, Token> tokens;      // by hash
  std::unordered_map<std::string, Session> sessions;  // by hash
  std::optional<SetupCode> setup_code;
  AttemptLimiter limiter;
  Hashers hashers;

  const store::UserRow* user_named(const std::string& username) const {
    for (const auto& [id, user] : users) {
      if (user.username == username) return &user;
    }
    return nullptr;
  }

  void write_later(std::move_only_function<Result<void>(store::SessionRef)> work) {
    store.post_write(std::move(work), [](Result<void> done) {
      // What was to be noted may be gone meanwhile: a revoked token, a session that was signed out.
      if (!done && done.error().code != "not_found") log::warning("auth", done.error().message);
    });
  }

  void audit(std::string actor, std::string action, std::string target, Json detail) {
    store::AuditRow row;
    row.at = clock.utc_now();
    row.actor = std::move(actor);
    row.action = std::move(action);
    row.target = std::move(target);
    row.detail = std::move(detail);
    write_later(
        [row = std::move(row)](soci::session& sql) { return store::Audit::append(sql, row); });
  }

  // A stored session, with its age taken over from the clock on the wall: all there is across a
  // restart.
  void adopt(store::SessionRow row) {
    const SteadyTime now = clock.steady_now();
    const auto age = [&](UtcTime then) {
      return std::max<Duration>(clock.utc_now() - then, Duration::zero());
    };
    Session session{std::move(row), now, now, now};
    session.created -= age(session.row.created_at);
    session.seen -= age(session.row.last_seen_at);
    session.written = session.seen;
    sessions.insert_or_assign(session.row.hash, std::move(session));
  }

  bool is_over(const Session& session) const {
    const SteadyTime now = clock.steady_now();
    return now - session.created >= kSessionLife || now - session.seen >= kSessionIdle ||
           !users.contains(session.row.user_id);
  }

  void drop_session(const std::string& hash) {
    sessions.erase(hash);
    write_later([hash](soci::session& sql) { return store::Sessions::remove(sql, hash); });
  }

  // Ends what is over, and the oldest of a user who has too many.
  void make_room(const std::string& user_id) {
    std::vector<std::string> over;
    std::vector<const Session*> own;
    for (const auto& [hash, session] : sessions) {
      if (is_over(session)) {
        over.push_back(hash);
      } else if (session.row.user_id == user_id) {
        own.push_back(&session);
      }
    }
    std::sort(own.begin(), own.end(),
              [](const Session* a, const Session* b) { return a->created < b->created; });
    for (std::size_t i = 0; i + kSessionsPerUser <= own.size(); ++i)
      over.push_back(own[i]->row.hash);
    for (const std::string& hash : over) drop_session(hash);
  }

  Task<Result<NewSession>> open_session(store::UserRow user) {
    make_room(user.id);
    NewSession opened;
    opened.cookie = make_cookie();
    store::SessionRow row{sha256_hex(opened.cookie), user.id, clock.utc_now(), clock.utc_now()};
    opened.principal = {user.username, user.role, row.hash};
    std::move_only_function<Result<bool>(store::SessionRef)> work =
        [row](soci::session& sql) -> Result<bool> {
      TRIBUTARY_TRY(store::Sessions::put(sql, row));
      return true;
    };
    Result<bool> written = co_await store.write<bool>(std::move(work));
    TRIBUTARY_CO_TRY(written);
    adopt(std::move(row));
    co_return opened;
  }

  Result<void> check_setup_code(const std::string& code) {
    if (!users.empty()) return fail(setup_done());
    if (!setup_code || setup_code->expires <= clock.steady_now()) {
      return fail(ErrorClass::kFunction, "setup_code_expired", "The setup code is no longer valid.",
                  "Restart the server: it prints a new code.", "/code");
    }
    if (same_setup_code(setup_code->text, code)) return {};
    audit("", "auth.setup_refused", "", json_object());
    if (++setup_code->wrong_tries >= kSetupTries) setup_code.reset();
    return fail(ErrorClass::kFunction, "setup_code_wrong", "The setup code is wrong.",
                "It is printed where the server was started.", "/code");
  }

  // Upgrades a hash made with older parameters, while the password is at hand.
  Task<void> rehash(store::UserRow user, Secret password) {
    Result<std::string> better = co_await hashers.hash(std::move(password));
    if (!better) co_return;
    users.at(user.id).password_hash = *better;
    write_later([id = user.id, hash = *better](soci::session& sql) {
      return store::Users::set_password_hash(sql, id, hash);
    });
  }
};

Auth::Auth(store::Store& store, Clock& clock, Executor)
    : impl_(std::make_unique<Impl>(store, clock)) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be initialised");
}

Auth::~Auth() = default;

Result<void> Auth::load() {
  std::vector<store::SessionRow> sessions;
  auto read = impl_->store.read_now([&](soci::session& sql) -> Result<void> {
    auto users = store::Users::all(sql);
    TRIBUTARY_TRY(users);
    for (auto& user : *users) impl_->users.insert_or_assign(user.id, user);
    auto tokens = store::Tokens::all(sql);
    TRIBUTARY_TRY(tokens);
    for (auto& token : *tokens)
      impl_->tokens.insert_or_assign(token.hash, Token{token, std::nullopt});
    auto stored = store::Sessions::all(sql);
    TRIBUTARY_TRY(stored);
    sessions = std::move(*stored);
    return {};
  });
  TRIBUTARY_TRY(read);
  for (auto& session : sessions) impl_->adopt(std::move(session));
  impl_->make_room("");
  return {};
}

std::string Auth::make_setup_code() {
  if (!needs_setup()) return {};
  impl_->setup_code =
      SetupCode{auth::make_setup_code(), impl_->clock.steady_now() + kSetupCodeLife};
  return impl_->setup_code->text;
}

bool Auth::needs_setup() const {
  return impl_->users.empty();
}

Task<Result<NewSession>> Auth::setup(std::string code, std::string username, Secret password) {
  TRIBUTARY_CO_TRY(impl_->check_setup_code(code));
  TRIBUTARY_CO_TRY(check_username(username));
  TRIBUTARY_CO_TRY(check_password(password, username));
  Result<std::string> hash = co_await impl_->hashers.hash(std::move(password));
  TRIBUTARY_CO_TRY(hash);
  const UtcTime now = impl_->clock.utc_now();
  store::UserRow user{make_id(now), std::move(username), std::move(*hash), "admin", now};
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [user](soci::session& sql) -> Result<bool> {
    // Two people may have typed the code at once: the transaction decides.
    auto users = store::Users::all(sql);
    TRIBUTARY_TRY(users);
    if (!users->empty()) return fail(setup_done());
    TRIBUTARY_TRY(store::Users::insert(sql, user));
    return true;
  };
  Result<bool> made = co_await impl_->store.write<bool>(std::move(work));
  TRIBUTARY_CO_TRY(made);
  impl_->users.insert_or_assign(user.id, user);
  impl_->setup_code.reset();
  impl_->audit(user.username, "auth.setup", user.username, json_object());
  co_return co_await impl_->open_session(std::move(user));
}

Task<Result<NewSession>> Auth::login(std::string username, Secret password, std::string address) {
  if (auto wait = impl_->limiter.try_attempt(username, address, impl_->clock.steady_now())) {
    impl_->audit("", "auth.login_limited", username, detail_of("address", address));
    const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(*wait).count();
    co_return fail(too_many_attempts(wait_ms));
  }
  // Unknown users cost the same computation, and get the same words.
  const store::UserRow* found = impl_->user_named(username);
  const bool known = found != nullptr;
  store::UserRow user = known ? *found : store::UserRow();
  std::string hash = known ? user.password_hash : nobodys_hash();
  Result<bool> right = co_await impl_->hashers.verify(std::move(hash), password);
  TRIBUTARY_CO_TRY(right);
  if (!known || !*right) {
    impl_->audit("", "auth.login_refused", username, detail_of("address", address));
    co_return fail(invalid_credentials());
  }
  impl_->limiter.forget(username, address);
  if (needs_rehash(user.password_hash)) co_await impl_->rehash(user, password);
  impl_->audit(username, "auth.login", username, detail_of("address", address));
  co_return co_await impl_->open_session(std::move(user));
}

Task<Result<void>> Auth::logout(const Principal& principal) {
  const std::string hash = principal.session;
  const std::string name = principal.name;
  if (impl_->sessions.erase(hash) == 0) co_return fail(not_authenticated());
  impl_->audit(name, "auth.logout", name, json_object());
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [hash](soci::session& sql) -> Result<bool> {
    TRIBUTARY_TRY(store::Sessions::remove(sql, hash));
    return true;
  };
  Result<bool> removed = co_await impl_->store.write<bool>(std::move(work));
  TRIBUTARY_CO_TRY(removed);
  co_return Result<void>();
}

Result<Principal> Auth::check_token(std::string_view bearer) {
  if (!is_token(bearer)) return fail(not_authenticated());
  const auto found = impl_->tokens.find(sha256_hex(bearer));
  if (found == impl_->tokens.end()) return fail(not_authenticated());
  Token& token = found->second;
  const UtcTime now = impl_->clock.utc_now();
  if (token.row.expires_at && *token.row.expires_at <= now) return fail(not_authenticated());
  const SteadyTime steady = impl_->clock.steady_now();
  token.row.last_used_at = now;
  if (!token.touched || steady - *token.touched >= kTouchInterval) {
    token.touched = steady;
    impl_->write_later([id = token.row.id, now](soci::session& sql) {
      return store::Tokens::touch(sql, id, now);
    });
  }
  return Principal{"token:" + token.row.name, token.row.role, ""};
}

Result<Principal> Auth::check_session(std::string_view cookie) {
  const auto found = impl_->sessions.find(sha256_hex(cookie));
  if (found == impl_->sessions.end()) return fail(not_authenticated());
  Session& session = found->second;
  if (impl_->is_over(session)) {
    impl_->drop_session(std::string(session.row.hash));
    return fail(not_authenticated());
  }
  const SteadyTime now = impl_->clock.steady_now();
  session.seen = now;
  session.row.last_seen_at = impl_->clock.utc_now();
  if (now - session.written >= kTouchInterval) {
    session.written = now;
    impl_->write_later(
        [row = session.row](soci::session& sql) { return store::Sessions::put(sql, row); });
  }
  const store::UserRow& user = impl_->users.at(session.row.user_id);
  return Principal{user.username, user.role, session.row.hash};
}

bool Auth::is_session_alive(std::string_view cookie) const {
  const auto found = impl_->sessions.find(sha256_hex(cookie));
  return found != impl_->sessions.end() && !impl_->is_over(found->second);
}

Task<Result<std::string>> Auth::create_token(std::string name, std::string role,
                                             std::optional<UtcTime> expires_at) {
  const UtcTime now = impl_->clock.utc_now();
  TRIBUTARY_CO_TRY(check_token_request(name, role, expires_at, now));
  std::string text = make_token();
  store::TokenRow row = token_row(text, std::move(name), std::move(role), expires_at, now);
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [row](soci::session& sql) -> Result<bool> {
    TRIBUTARY_TRY(store::Tokens::insert(sql, row));
    return true;
  };
  Result<bool> written = co_await impl_->store.write<bool>(std::move(work));
  TRIBUTARY_CO_TRY(written);
  impl_->tokens.insert_or_assign(row.hash, Token{row, std::nullopt});
  co_return text;
}

std::vector<TokenInfo> Auth::tokens() const {
  std::vector<TokenInfo> list;
  for (const auto& [hash, token] : impl_->tokens) {
    const store::TokenRow& row = token.row;
    list.push_back({row.id, row.name, row.role, row.created_at, row.expires_at, row.last_used_at});
  }
  std::sort(list.begin(), list.end(),
            [](const TokenInfo& a, const TokenInfo& b) { return a.id < b.id; });
  return list;
}

Task<Result<void>> Auth::revoke_token(std::string id) {
  // Refused from this moment on, whatever the disk says.
  std::erase_if(impl_->tokens, [&](const auto& entry) { return entry.second.row.id == id; });
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [id](soci::session& sql) -> Result<bool> {
    TRIBUTARY_TRY(store::Tokens::remove(sql, id));
    return true;
  };
  Result<bool> removed = co_await impl_->store.write<bool>(std::move(work));
  TRIBUTARY_CO_TRY(removed);
  co_return Result<void>();
}

Result<std::string> Auth::create_token_offline(store::Store& store, const Clock& clock,
                                               std::string name, std::string role) {
  if (sodium_init() < 0)
    return fail(ErrorClass::kInternal, "crypto_unavailable", "libsodium cannot be initialised.");
  const UtcTime now = clock.utc_now();
  TRIBUTARY_TRY(check_token_request(name, role, std::nullopt, now));
  const std::string text = make_token();
  const store::TokenRow row = token_row(text, std::move(name), std::move(role), std::nullopt, now);
  TRIBUTARY_TRY(store.write_now([&](soci::session& sql) -> Result<void> {
    TRIBUTARY_TRY(store::Tokens::insert(sql, row));
    store::AuditRow audit;
    audit.at = now;
    audit.actor = "command line";
    audit.action = "token.create";
    audit.target = row.name;
    return store::Audit::append(sql, audit);
  }));
  return text;
}

std::int64_t Auth::password_computations() const {
  return impl_->hashers.computations();
}

void Auth::audit(const Principal& who, std::string action, std::string target, Json detail) {
  impl_->audit(who.name, std::move(action), std::move(target), std::move(detail));
}

}  // namespace tributary::auth
