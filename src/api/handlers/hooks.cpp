// Calls of webhooks (/hooks/…), and what a schedule means before it is saved.
#include "api/handlers/hooks.hpp"

#include <charconv>

#include "api/handlers/common.hpp"
#include "orchestrate/hooks/hook_desk.hpp"
#include "orchestrate/schedule/cron.hpp"

namespace tributary::api::handlers {
namespace {

using namespace orchestrate;

constexpr std::int64_t kShownRuns = 5;
constexpr std::int64_t kMostShownRuns = 100;

constexpr Route kHookRoute{"*", "/hooks/{path}", Policy::kPublic, Body::kOptional, Replay::kNo,
                           "",  call_hook};

Response answer_of(hooks::Answer answer) {
  Response response;
  response.status = answer.status;
  response.headers = std::move(answer.headers);
  response.body = std::move(answer.body);
  return response;
}

// The pointer is the member; the column is part of the sentence, as in expressions.
Problem cron_problem(const schedule::CronProblem& problem) {
  return invalid_field("/cron", "invalid_cron",
                       fmt::format("{} (column {})", problem.message, problem.column));
}

std::expected<std::int64_t, Problem> shown_count(const Json& body) {
  if (!body.contains("count")) return kShownRuns;
  const Json& count = body.at("count");
  if (!count.is_int64() || count.as<std::int64_t>() < 1 ||
      count.as<std::int64_t>() > kMostShownRuns)
    return refuse(invalid_field("/count", "out_of_range",
                                fmt::format("It must be 1 to {}.", kMostShownRuns)));
  return count.as<std::int64_t>();
}

}  // namespace

const Route& hook_route() {
  return kHookRoute;
}

hooks::Call hook_call(const Request& request) {
  hooks::Call call;
  call.method = request.method;
  call.path = request.path.substr(hooks::kPrefix.size());
  call.headers = request.headers;
  call.query = request.query;
  call.remote = request.remote;
  const std::string_view length = request.header("content-length");
  std::uint64_t bytes = 0;
  const auto read = std::from_chars(length.data(), length.data() + length.size(), bytes);
  if (read.ec == std::errc{} && !length.empty()) call.length = bytes;
  return call;
}

Problem hook_problem(const hooks::Refusal& refusal) {
  Problem problem(refusal.status, refusal.code, refusal.message, refusal.hint);
  problem.retry_after_ms = refusal.retry_after_ms;
  problem.headers = refusal.headers;
  return problem;
}

Task<Answer> call_hook(Services& services, Request& request) {
  hooks::Call call = hook_call(request);
  call.body = std::move(request.body);
  auto taking = hooks::Desk::take(services.engine.hooks(), std::move(call));
  auto taken = co_await std::move(taking);
  if (!taken) co_return refuse(hook_problem(taken.error()));
  if (taken->answer) co_return answer_of(std::move(*taken->answer));
  Json body = json_object();
  body["runId"] = taken->run_id;
  co_return Response::of(std::move(body), 202);
}

Task<Answer> preview_schedule(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  TRIBUTARY_CO_TRY(refuse_unknown(*body, {"cron", "timeZone", "after", "count"}));
  for (const char* member : {"cron", "timeZone", "after"}) {
    const Json& value = get_member(*body, member);
    if (!value.is_null() && !value.is_string())
      co_return refuse(invalid_field("/" + std::string(member), "wrong_type", "It must be text."));
  }
  if (!body->contains("cron"))
    co_return refuse(invalid_field("/cron", "required", "The schedule is missing."));
  auto count = shown_count(*body);
  TRIBUTARY_CO_TRY(count);
  const auto cron = schedule::Cron::parse(get_string(*body, "cron"));
  if (!cron) co_return refuse(cron_problem(cron.error()));
  const auto zone = connect::Zone::find(get_string(*body, "timeZone", "UTC"));
  if (!zone) {
    co_return refuse(
        invalid_field("/timeZone", "unknown_zone", zone.error().message + " " + zone.error().hint));
  }
  UtcTime after = services.runtime.clock().utc_now();
  if (body->contains("after")) {
    const auto given = parse_utc(get_string(*body, "after"));
    if (!given) co_return refuse(invalid_field("/after", "invalid_time", given.error().message));
    after = *given;
  }
  Json next = json_array();
  for (const UtcTime time : cron->next_n(*zone, after, static_cast<std::size_t>(*count))) {
    Json item = json_object();
    item["time"] = format_utc(time);
    item["localTime"] = zone->format(time);
    next.push_back(std::move(item));
  }
  Json answer = json_object();
  answer["next"] = std::move(next);
  answer["followsRealHours"] = cron->follows_real_hours();
  co_return Response::of(std::move(answer));
}

}  // namespace tributary::api::handlers
