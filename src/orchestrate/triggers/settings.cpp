#include "orchestrate/triggers/settings.hpp"

namespace tributary::orchestrate {
namespace {

std::optional<CronRule> read_cron(const Json& settings) {
  if (!settings.contains("cron")) return std::nullopt;
  auto cron = schedule::Cron::parse(get_string(settings, "cron"));
  auto zone = connect::Zone::find(get_string(settings, "timeZone", "UTC"));
  if (!cron || !zone) return std::nullopt;  // told by the check
  return CronRule{std::move(*cron), std::move(*zone),
                  get_string(settings, "catchUp", "none") == "last"};
}

PollRule read_poll(const Json& settings) {
  PollRule rule;
  const Json& parameters = get_member(settings, "parameters");
  rule.parameters = parameters.is_object() ? parameters : json_object();
  rule.report.on_change = get_string(settings, "reportOn", "change") == "change";
  rule.report.deadband = get_double(settings, "deadband", 0);
  return rule;
}

PipelineRule read_pipeline(const Json& settings) {
  PipelineRule rule;
  rule.pipeline_id = get_string(settings, "pipelineId");
  const std::string on = get_string(settings, "on", "success");
  if (on == "failure") rule.on = EndedHow::kFailure;
  if (on == "any") rule.on = EndedHow::kAny;
  rule.output = get_bool(settings, "output", false);
  return rule;
}

ErrorRule read_error(const Json& settings) {
  ErrorRule rule;
  const Json& ids = get_member(settings, "pipelineIds");
  for (std::size_t i = 0; ids.is_array() && i < ids.size(); ++i)
    rule.pipeline_ids.push_back(ids[i].as<std::string>());
  rule.handled = get_bool(settings, "handled", false);
  rule.debounce = std::chrono::milliseconds(get_int(settings, "debounceMs", 10'000));
  return rule;
}

}  // namespace

std::shared_ptr<const TriggerSettings> read_trigger_settings(TriggerKind kind,
                                                             const Json& settings) {
  auto read = std::make_shared<TriggerSettings>();
  switch (kind) {
    case TriggerKind::kSchedule:
      read->cron = read_cron(settings);
      break;
    case TriggerKind::kPoll:
      read->poll = read_poll(settings);
      break;
    case TriggerKind::kPipeline:
      read->pipeline = read_pipeline(settings);
      break;
    case TriggerKind::kError:
      read->error = read_error(settings);
      break;
    case TriggerKind::kWebhook:
      read->hook = hooks::read_rule(settings);
      break;
    case TriggerKind::kNone:
    case TriggerKind::kFunction:
    case TriggerKind::kManual:
    case TriggerKind::kConnectionStatus:
      break;
  }
  return read;
}

}  // namespace tributary::orchestrate
