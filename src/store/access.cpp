#include "store/audit_search.hpp"
#include "store/query.hpp"
#include "store/repositories.hpp"

namespace tributary::store {

namespace {

UserRow read_user(Columns& columns) {
  UserRow row;
  row.id = columns.text();
  row.username = columns.text();
  row.password_hash = columns.text();
  row.role = columns.text();
  row.created_at = columns.time();
  return row;
}

TokenRow read_token(Columns& columns) {
  TokenRow row;
  row.id = columns.text();
  row.name = columns.text();
  row.hash = columns.text();
  row.role = columns.text();
  row.created_at = columns.time();
  row.expires_at = columns.maybe_time();
  row.last_used_at = columns.maybe_time();
  return row;
}

SessionRow read_session(Columns& columns) {
  SessionRow row;
  row.hash = columns.text();
  row.user_id = columns.text();
  row.created_at = columns.time();
  row.last_seen_at = columns.time();
  return row;
}

AuditRow read_audit(Columns& columns) {
  AuditRow row;
  row.seq = columns.number();
  row.at = columns.time();
  row.actor = columns.text();
  row.action = columns.text();
  row.target = columns.text();
  row.detail = columns.document();
  return row;
}

IdempotencyRow read_answer(Columns& columns) {
  IdempotencyRow row;
  row.key = columns.text();
  row.fingerprint = columns.text();
  row.status = static_cast<int>(columns.number());
  row.body = columns.text();
  row.at = columns.time();
  return row;
}

// Text that stands for itself in a pattern of LIKE.
std::string escape_pattern(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') escaped += '!';
    escaped += c;
  }
  return escaped;
}

}  // namespace

Result<void> Users::insert(soci::session& sql, const UserRow& row) {
  auto taken =
      select_number(sql, "select count(*) from users where username = :username", {row.username});
  if (!taken) return fail(std::move(taken.error()));
  if (taken->value_or(0) != 0) {
    return fail(ErrorClass::kFunction, "name_taken",
                fmt::format("A user named \"{}\" exists already.", row.username), "", "/username");
  }
  TRIBUTARY_TRY(execute(sql,
                        "insert into users (id, username, password_hash, role, created_at) "
                        "values (:id, :username, :password_hash, :role, :created_at)",
                        {row.id, row.username, row.password_hash, row.role, row.created_at}));
  return {};
}

Result<std::optional<UserRow>> Users::find_by_name(soci::session& sql,
                                                   const std::string& username) {
  return select_one(
      sql,
      "select id, username, password_hash, role, created_at from users where username = :username",
      {username}, &read_user);
}

Result<std::vector<UserRow>> Users::all(soci::session& sql) {
  return select(sql, "select id, username, password_hash, role, created_at from users order by id",
                {}, &read_user);
}

Result<void> Users::set_password_hash(soci::session& sql, const std::string& id,
                                      const std::string& hash) {
  return expect_one(
      execute(sql, "update users set password_hash = :hash where id = :id", {hash, id}),
      "This user does not exist.");
}

Result<void> Tokens::insert(soci::session& sql, const TokenRow& row) {
  TRIBUTARY_TRY(execute(
      sql,
      "insert into tokens (id, name, hash, role, created_at, expires_at, last_used_at) "
      "values (:id, :name, :hash, :role, :created_at, :expires_at, :last_used_at)",
      {row.id, row.name, row.hash, row.role, row.created_at, row.expires_at, row.last_used_at}));
  return {};
}

Result<void> Tokens::remove(soci::session& sql, const std::string& id) {
  return expect_one(execute(sql, "delete from tokens where id = :id", {id}),
                    "This token does not exist.");
}

Result<std::vector<TokenRow>> Tokens::all(soci::session& sql) {
  return select(
      sql,
      "select id, name, hash, role, created_at, expires_at, last_used_at from tokens order by id",
      {}, &read_token);
}

Result<void> Tokens::touch(soci::session& sql, const std::string& id, UtcTime at) {
  return expect_one(execute(sql, "update tokens set last_used_at = :at where id = :id", {at, id}),
                    "This token does not exist.");
}

Result<void> Sessions::put(soci::session& sql, const SessionRow& row) {
  TRIBUTARY_TRY(execute(sql,
                        "insert into sessions (hash, user_id, created_at, last_seen_at) "
                        "values (:hash, :user_id, :created_at, :last_seen_at) "
                        "on conflict (hash) do update set last_seen_at = excluded.last_seen_at",
                        {row.hash, row.user_id, row.created_at, row.last_seen_at}));
  return {};
}

Result<void> Sessions::remove(soci::session& sql, const std::string& hash) {
  return expect_one(execute(sql, "delete from sessions where hash = :hash", {hash}),
                    "This session does not exist.");
}

Result<std::vector<SessionRow>> Sessions::all(soci::session& sql) {
  return select(
      sql, "select hash, user_id, created_at, last_seen_at from sessions order by created_at, hash",
      {}, &read_session);
}

Result<void> Audit::append(soci::session& sql, AuditRow row) {
  TRIBUTARY_TRY(execute(sql,
                        "insert into audit (seq, at, actor, action, target, detail) "
                        "values ((select coalesce(max(seq), 0) + 1 from audit), :at, :actor, "
                        ":action, :target, :detail)",
                        {row.at, row.actor, row.action, row.target, row.detail}));
  return {};
}

Result<std::vector<AuditRow>> Audit::list(soci::session& sql, std::int64_t before,
                                          std::size_t limit) {
  return search_audit(sql, {}, before, limit);
}

Result<std::vector<AuditRow>> search_audit(soci::session& sql, const AuditFilter& filter,
                                           std::int64_t before, std::size_t limit) {
  std::string where = " where seq < :before";
  std::vector<Bind> binds{before == 0 ? std::numeric_limits<std::int64_t>::max() : before};
  const auto also = [&](const char* condition, Bind value) {
    where += condition;
    binds.push_back(std::move(value));
  };
  if (!filter.actor.empty()) also(" and actor = :actor", filter.actor);
  if (!filter.target.empty()) also(" and target = :target", filter.target);
  if (!filter.action.empty()) {
    also(" and (action = :action", filter.action);
    also(" or action like :below escape '!')", escape_pattern(filter.action) + ".%");
  }
  if (!filter.text.empty()) {
    also(" and lower(actor || ' ' || action || ' ' || target) like lower(:text) escape '!'",
         "%" + escape_pattern(filter.text) + "%");
  }
  if (filter.from) also(" and at >= :from_time", *filter.from);
  if (filter.to) also(" and at < :to_time", *filter.to);
  binds.emplace_back(limit);
  return select(sql,
                "select seq, at, actor, action, target, detail from audit" + where +
                    " order by seq desc limit :limit",
                binds, &read_audit);
}

Result<std::optional<IdempotencyRow>> Idempotency::find(soci::session& sql,
                                                        const std::string& key) {
  return select_one(
      sql,
      "select request_key, fingerprint, status, body, at from idempotency where request_key = :key",
      {key}, &read_answer);
}

Result<void> Idempotency::put(soci::session& sql, const IdempotencyRow& row) {
  TRIBUTARY_TRY(
      execute(sql,
              "insert into idempotency (request_key, fingerprint, status, body, at) "
              "values (:request_key, :fingerprint, :status, :body, :at) "
              "on conflict (request_key) do update set fingerprint = excluded.fingerprint, "
              "status = excluded.status, body = excluded.body, at = excluded.at",
              {row.key, row.fingerprint, row.status, row.body, row.at}));
  return {};
}

Result<void> Idempotency::expire(soci::session& sql, UtcTime before) {
  TRIBUTARY_TRY(execute(sql, "delete from idempotency where at < :before", {before}));
  return {};
}

}  // namespace tributary::store
