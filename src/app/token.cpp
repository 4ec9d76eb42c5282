#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "app/api_client.hpp"
#include "app/command.hpp"
#include "app/exit_codes.hpp"
#include "app/signals.hpp"
#include "auth/auth.hpp"
#include "store/repositories.hpp"

namespace tributary::app {
namespace {

constexpr Option kOptions[] = {
    {"--data-dir", "DIR", "Data directory of the hub; made when it does not exist yet."},
    {"--name", "NAME", "What the token is for; shown in lists and in the audit."},
    {"--role", "ROLE", "What it may do; admin, the default, is the only role so far."},
    {"--id", "ID", "The token to revoke, as list shows it."},
};

// A hub that is just starting holds the store before its control socket is there.
constexpr auto kStartingHub = std::chrono::seconds{10};
constexpr auto kTryAgain = std::chrono::milliseconds{100};

// Does the work through a running hub, or on the store itself while none runs.
template <typename T>
Result<T> with_hub_or_store(const std::string& data_dir,
                            const std::function<Result<T>(ApiClient&)>& online,
                            const std::function<Result<T>(store::Store&, const Clock&)>& offline) {
  SystemClock clock;
  const SteadyTime end = clock.steady_now() + kStartingHub;
  while (true) {
    ApiClient client = ApiClient::local(data_dir);
    Result<T> answer = online(client);
    if (answer || answer.error().code != "server_unreachable") return answer;
    auto store = store::Store::open(data_dir, clock);
    if (store) return offline(**store, clock);
    if (store.error().code != "data_dir_locked" || clock.steady_now() > end)
      return fail(store.error());
    std::this_thread::sleep_for(kTryAgain);
  }
}

int create(const Arguments& arguments, const std::string& data_dir) {
  auto name = arguments.required("--name");
  if (!name) return report(name.error());
  const std::string role = arguments.get("--role", "admin");
  if (role != "admin")
    return report(usage_error(fmt::format("\"{}\" is not a role; there is: admin.", role)));
  auto token = with_hub_or_store<std::string>(
      data_dir,
      [&](ApiClient& client) -> Result<std::string> {
        Json body = json_object();
        body["name"] = *name;
        body["role"] = role;
        auto made = client.send("POST", "/tokens", body);
        TRIBUTARY_TRY(made);
        return get_string(*made, "token");
      },
      [&](store::Store& store, const Clock& clock) {
        return auth::Auth::create_token_offline(store, clock, *name, role);
      });
  if (!token) return report(token.error());
  fmt::print("{}\n", *token);
  return kOk;
}

Result<std::vector<Json>> stored_tokens(store::Store& store) {
  std::vector<Json> tokens;
  auto done = store.read_now([&tokens](soci::session& sql) -> Result<void> {
    auto rows = store::Tokens::all(sql);
    TRIBUTARY_TRY(rows);
    for (const auto& row : *rows) {
      Json token = json_object();
      token["id"] = row.id;
      token["name"] = row.name;
      token["role"] = row.role;
      token["createdAt"] = format_utc(row.created_at);
      token["lastUsedAt"] = row.last_used_at ? Json(format_utc(*row.last_used_at)) : Json::null();
      tokens.push_back(std::move(token));
    }
    return {};
  });
  TRIBUTARY_TRY(done);
  return tokens;
}

int list(const std::string& data_dir) {
  auto tokens = with_hub_or_store<std::vector<Json>>(
      data_dir, [](ApiClient& client) { return client.list("/tokens"); },
      [](store::Store& store, const Clock&) { return stored_tokens(store); });
  if (!tokens) return report(tokens.error());
  for (const Json& token : *tokens) {
    fmt::print("{}  {:<24} {:<8} made {}  last used {}\n", get_string(token, "id"),
               get_string(token, "name"), get_string(token, "role"), get_string(token, "createdAt"),
               get_string(token, "lastUsedAt", "never"));
  }
  return kOk;
}

int revoke(const Arguments& arguments, const std::string& data_dir) {
  auto id = arguments.required("--id");
  if (!id) return report(id.error());
  auto revoked = with_hub_or_store<bool>(
      data_dir,
      [&](ApiClient& client) -> Result<bool> {
        TRIBUTARY_TRY(client.send("DELETE", "/tokens/" + *id, std::nullopt));
        return true;
      },
      [&](store::Store& store, const Clock&) -> Result<bool> {
        TRIBUTARY_TRY(
            store.write_now([&](soci::session& sql) { return store::Tokens::remove(sql, *id); }));
        return true;
      });
  if (!revoked) return report(revoked.error());
  return kOk;
}

int token(const Arguments& arguments) {
  if (arguments.words().empty())
    return report(usage_error("Say what to do: create, list or revoke."));
  auto data_dir = arguments.required("--data-dir");
  if (!data_dir) return report(data_dir.error());
  harden_process();
  const std::string& action = arguments.words().front();
  if (action == "create") return create(arguments, *data_dir);
  if (action == "list") return list(*data_dir);
  if (action == "revoke") return revoke(arguments, *data_dir);
  return report(
      usage_error(fmt::format("\"{}\" is not possible; create, list and revoke are.", action)));
}

}  // namespace

const Command kTokenCommand{
    "token",
    "create|list|revoke --data-dir DIR [--name NAME] [--role admin] [--id ID]",
    "Make, list or revoke access tokens.",
    "create  prints a new token, alone, on standard output. It is shown this once; the hub keeps "
    "only its hash.\n"
    "list    shows id, name, role and use of each token.\n"
    "revoke  ends a token at once.\n"
    "Works before the first start and beside a running hub.",
    kOptions,
    1,
    token};

}  // namespace tributary::app
