// What the settings of triggers say, ready to be used.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/subscriptions/last_values.hpp"
#include "orchestrate/hooks/rule.hpp"
#include "orchestrate/schedule/cron.hpp"

namespace tributary::orchestrate {

enum class TriggerKind : std::uint8_t {
  kNone,
  kFunction,
  kSchedule,
  kManual,
  kConnectionStatus,
  kWebhook,
  kPoll,
  kPipeline,
  kError,
};

struct CronRule {
  schedule::Cron cron;
  connect::Zone zone;
  bool catch_up =
      false;  // a start that fell into a time when the hub was down is made up for, once
};

struct PollRule {
  Json parameters;
  connect::ReportRule report;
};

enum class EndedHow : std::uint8_t { kSuccess, kFailure, kAny };

struct PipelineRule {
  std::string pipeline_id;
  EndedHow on = EndedHow::kSuccess;
  bool output = false;
};

struct ErrorRule {
  std::vector<std::string> pipeline_ids;  // empty: all
  bool handled = false;                   // errors after which the record went on, too
  Duration debounce{};
};

// One of them, by the kind of the trigger.
struct TriggerSettings {
  std::optional<CronRule> cron;
  std::optional<PollRule> poll;
  std::optional<PipelineRule> pipeline;
  std::optional<ErrorRule> error;
  std::optional<hooks::Rule> hook;
};

// Of settings that were checked.
std::shared_ptr<const TriggerSettings> read_trigger_settings(TriggerKind kind,
                                                             const Json& settings);

}  // namespace tributary::orchestrate
