#include "api/idempotency.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "store/repositories.hpp"

namespace tributary::api {
namespace {

constexpr std::size_t kMaxKey = 128;
constexpr std::size_t kMaxKeptBody = 1024 * 1024;
constexpr auto kKept = std::chrono::hours{24};

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

std::string fingerprint_of(const Request& request) {
  std::string text = request.method + "\n" + request.path + "\n";
  for (const auto& [name, value] : request.query) text += name + "=" + value + "&";
  return sha256(text + "\n" + request.body);
}

bool is_usable_key(std::string_view key) {
  return key.size() <= kMaxKey &&
         std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
}

// An answer as it is kept: {"headers": [[name, value]…], "json": …}.
std::string pack(const Response& response) {
  Json kept = json_object();
  Json headers = json_array();
  for (const auto& [name, value] : response.headers) {
    Json pair = json_array();
    pair.push_back(name);
    pair.push_back(value);
    headers.push_back(std::move(pair));
  }
  kept["headers"] = std::move(headers);
  if (response.json) kept["json"] = *response.json;
  return to_text(kept);
}

Result<Response> unpack(const store::IdempotencyRow& row) {
  auto kept = parse_json(row.body);
  if (!kept) return fail(kept.error());
  Response response;
  response.status = row.status;
  for (const auto& pair : get_member(*kept, "headers").array_range()) {
    response.set(pair[0].as<std::string>(), pair[1].as<std::string>());
  }
  if (kept->contains("json")) response.json = kept->at("json");
  response.set("Idempotency-Replayed", "true");
  return response;
}

}  // namespace

Task<Answer> Idempotency::run(Request& request) {
  const std::string_view sent = request.header("idempotency-key");
  if (sent.empty() || request.method != "POST" || request.route->replay == Replay::kNo ||
      request.dry_run) {
    co_return co_await request.route->handler(services_, request);
  }
  if (!is_usable_key(sent)) {
    co_return refuse(
        Problem(400, "invalid_parameter",
                "The Idempotency-Key must be 1 to 128 printable characters without spaces."));
  }
  std::string key = request.principal.name + ":" + std::string(sent);
  std::string fingerprint = fingerprint_of(request);
  if (!in_progress_.insert(key).second) {
    co_return refuse(Problem(
        409, "idempotency_in_progress",
        "A request with this Idempotency-Key is still being worked on. Send it again later."));
  }
  Answer answer = co_await run_and_keep(request, key, std::move(fingerprint));
  in_progress_.erase(key);
  co_return answer;
}

Task<Answer> Idempotency::run_and_keep(Request& request, std::string key, std::string fingerprint) {
  using Found = std::optional<store::IdempotencyRow>;
  auto look_up = services_.store.read<Found>(
      [key](soci::session& sql) { return store::Idempotency::find(sql, key); });
  Result<Found> kept = co_await std::move(look_up);
  TRIBUTARY_CO_TRY(kept);
  const UtcTime now = services_.runtime.clock().utc_now();
  if (kept->has_value() && (*kept)->at + kKept > now) {
    if ((*kept)->fingerprint != fingerprint) {
      co_return refuse(
          Problem(422, "idempotency_key_reused",
                  "This Idempotency-Key was used for another request. Use a new one."));
    }
    auto replay = unpack(**kept);
    TRIBUTARY_CO_TRY(replay);
    co_return std::move(*replay);
  }

  Answer answer = co_await request.route->handler(services_, request);
  if (!answer || answer->status >= 300) co_return answer;
  store::IdempotencyRow row{std::move(key), std::move(fingerprint), answer->status, pack(*answer),
                            now};
  if (row.body.size() > kMaxKeptBody) co_return answer;
  auto keep = services_.store.write<void>([row, now](soci::session& sql) -> Result<void> {
    TRIBUTARY_TRY(store::Idempotency::expire(sql, now - kKept));
    return store::Idempotency::put(sql, row);
  });
  Result<void> stored = co_await std::move(keep);
  // What was asked for has happened: the caller hears that, even when the answer cannot be kept for
  // a repetition.
  static_cast<void>(stored);
  co_return answer;
}

}  // namespace tributary::api
