#include "orchestrate/hooks/hook_desk.hpp"

#include <fmt/format.h>

#include "runtime/log.hpp"

namespace tributary::orchestrate::hooks {
namespace {

constexpr std::int64_t kBusyRetryMs = 1000;

std::unexpected<Refusal> refuse(int status, std::string code, std::string message,
                                std::optional<std::int64_t> retry_after_ms = {}) {
  return std::unexpected(
      Refusal{status, std::move(code), std::move(message), {}, retry_after_ms, {}});
}

std::string memory_key(const std::string& pipeline_id, const std::string& node_id) {
  return pipeline_id + "/" + node_id;
}

std::expected<Taken, Refusal> taken_or_refused(CallResult result) {
  using enum CallResult::Outcome;
  switch (result.outcome) {
    case kAccepted:
      return Taken{std::move(result.run_id), std::nullopt};
    case kAnswered:
      return Taken{std::move(result.run_id), std::move(result.answer)};
    case kFull:
      return refuse(503, "pipeline_busy", "The pipeline has no room for another call.",
                    kBusyRetryMs);
    case kSkipped:
      return refuse(503, "pipeline_busy", "The pipeline is at work and lets nothing wait.",
                    kBusyRetryMs);
    case kStopped:
      return refuse(503, "pipeline_stopped", "The pipeline was stopped or changed meanwhile.",
                    kBusyRetryMs);
    case kTimedOut:
      return refuse(504, "no_answer_in_time",
                    fmt::format("The run {} gave no answer in time. It goes on.", result.run_id));
    case kUnanswered:
      break;
  }
  return refuse(502, "no_answer",
                fmt::format("The run {} has ended without an answer.", result.run_id));
}

}  // namespace

void Desk::open(const std::string& pipeline_id, std::vector<Route> routes) {
  close(pipeline_id);
  for (Route& route : routes) {
    std::string path = route.rule().path;
    routes_.emplace(std::move(path), std::move(route));
  }
}

void Desk::close(const std::string& pipeline_id) {
  std::erase_if(routes_, [&](const auto& item) { return item.second.pipeline_id == pipeline_id; });
}

void Desk::forget(const std::string& pipeline_id) {
  close(pipeline_id);
  const std::string prefix = pipeline_id + "/";
  std::erase_if(memories_, [&](const auto& item) { return item.first.starts_with(prefix); });
}

std::expected<const Route*, Refusal> Desk::find(const Call& call) const {
  const auto [first, last] = routes_.equal_range(call.path);
  std::string allowed;
  for (auto at = first; at != last; ++at) {
    for (const std::string& method : at->second.rule().methods) {
      if (method == call.method) return &at->second;
      allowed += (allowed.empty() ? "" : ", ") + method;
    }
  }
  if (allowed.empty()) return refuse(404, "not_found", "There is nothing at this address.");
  Refusal refusal{405, "method_not_allowed", fmt::format("Possible here: {}.", allowed), {}, {},
                  {}};
  refusal.headers.emplace_back("Allow", allowed);
  return std::unexpected(std::move(refusal));
}

std::expected<Secret, Refusal> Desk::open_secret(const Route& route) const {
  if (route.rule().authentication == Authentication::kNone) return Secret();
  Result<Secret> opened = fail(ErrorClass::kConfiguration, "secret_unavailable", "There is none.");
  if (vault_ != nullptr && route.secret) {
    const store::SecretRow& row = *route.secret;
    opened = vault_->unseal(row.connection_id, row.field, row.version, row.sealed);
    if (opened) opened = secrets::resolve_reference(*opened);
  }
  if (opened && !opened->empty()) return std::move(*opened);
  log::warning("orchestrate", "The secret of a webhook cannot be read: its calls are refused.",
               {{"pipeline", route.pipeline_id},
                {"node", route.node_id},
                {"reason", opened ? "It is empty." : opened.error().message}});
  return refuse(503, "hook_unavailable", "The hub cannot check this call at the moment.");
}

std::expected<std::uint64_t, Refusal> Desk::admit(const Call& head) const {
  auto route = find(head);
  if (!route) return std::unexpected(std::move(route.error()));
  auto secret = open_secret(**route);
  if (!secret) return std::unexpected(std::move(secret.error()));
  const Rule& rule = (*route)->rule();
  auto checked = check_head(rule, head, *secret);
  if (!checked) return std::unexpected(std::move(checked.error()));
  return rule.max_bytes;
}

std::expected<Json, Refusal> Desk::check(const Route& route, const Call& call, Memory& memory,
                                         std::string& signature) {
  const Rule& rule = route.rule();
  auto secret = open_secret(route);
  if (!secret) return std::unexpected(std::move(secret.error()));
  auto head = check_head(rule, call, *secret);
  if (!head) return std::unexpected(std::move(head.error()));
  const UtcTime now = clock_.utc_now();
  auto signed_with = check_body(rule, call, *secret, now);
  if (!signed_with) return std::unexpected(std::move(signed_with.error()));
  // After the proof: strangers do not use up the calls of the one who may call.
  if (const auto wait = memory.rate.take(rule.calls_per_minute, timers_.now())) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*wait).count();
    return refuse(429, "too_many_calls",
                  fmt::format("More than {} calls per minute.", rule.calls_per_minute),
                  milliseconds + 1);
  }
  auto record = make_record(rule, call, route.node_id, now);
  if (!record) return record;
  if (!signed_with->empty()) {
    if (!memory.replays.remember(*signed_with, timers_.now(), rule.signature.tolerance * 2))
      return refuse(401, "hook_replayed", "A call with this signature was taken before.");
    signature = std::move(*signed_with);
  }
  return record;
}

Task<std::expected<Taken, Refusal>> Desk::take(std::shared_ptr<Desk> desk, Call call) {
  using Answer = std::expected<Taken, Refusal>;
  auto found = desk->find(call);
  if (!found) co_return Answer(std::unexpect, std::move(found.error()));
  const Route route = **found;  // it may be changed while the call is at work
  const std::string key = memory_key(route.pipeline_id, route.node_id);
  std::string signature;
  auto record = desk->check(route, call, desk->memories_[key], signature);
  if (!record) co_return Answer(std::unexpect, std::move(record.error()));
  auto calling = route.runner->call(route.trigger, std::move(*record));
  CallResult result = co_await std::move(calling);
  const bool was_taken = result.outcome != CallResult::Outcome::kFull &&
                         result.outcome != CallResult::Outcome::kSkipped &&
                         result.outcome != CallResult::Outcome::kStopped;
  const auto memory = desk->memories_.find(key);
  if (!was_taken && !signature.empty() && memory != desk->memories_.end())
    memory->second.replays.forget(signature);
  co_return taken_or_refused(std::move(result));
}

}  // namespace tributary::orchestrate::hooks
