#include "connect/explanation.hpp"

namespace tributary::connect {

namespace {

// More is not shortly before, it is somebody at work.
constexpr std::size_t kMaxChanges = 50;
constexpr std::size_t kMaxTargets = 500;

bool wanted_up(Status status) {
  switch (status) {
    case Status::kConnecting:
    case Status::kDisconnected:
    case Status::kReconnecting:
    case Status::kFailed:
      return true;
    default:
      return false;
  }
}

std::string span_text(std::chrono::microseconds span) {
  const auto seconds = std::max<std::int64_t>(0, span / std::chrono::seconds{1});
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} days", seconds / 86400);
}

std::string times_text(std::int64_t count) {
  return count == 1 ? "once so far" : fmt::format("{} times so far", count);
}

std::string_view verb_of(std::string_view action) {
  return action.substr(action.find('.') + 1);
}

// What the present status means for the next minutes.
std::string outlook(const StateView& state, UtcTime now) {
  if (state.next_attempt_at) {
    const auto wait = *state.next_attempt_at - now;
    return fmt::format("Next attempt in {}.", span_text(wait));
  }
  switch (state.status) {
    case Status::kConnecting:
    case Status::kReconnecting:
      return "An attempt is under way.";
    case Status::kFailed:
      return "It waits for a person: remove the cause, then restart it.";
    default:
      return "";
  }
}

std::string sentence_of(const Cause& cause) {
  std::string text = cause.error.message;
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

struct Read {
  std::optional<store::OutageRow> outage;
  std::vector<store::AuditRow> changes;
  std::vector<store::HistoryRow> boots;
};

Result<Read> read_all(soci::session& sql, const std::vector<std::string>& targets) {
  Read read;
  auto outage = store::Outages::present(sql, targets.front());
  if (!outage) return fail(std::move(outage.error()));
  read.outage = std::move(*outage);
  if (!read.outage) return read;
  const UtcTime to = read.outage->since;
  const UtcTime from = to - kShortlyBefore;
  auto changes = store::Outages::changes(sql, targets, from, to, kMaxChanges);
  if (!changes) return fail(std::move(changes.error()));
  read.changes = std::move(*changes);
  auto boots = store::Outages::boots(sql, targets.front(), from, to);
  if (!boots) return fail(std::move(boots.error()));
  read.boots = std::move(*boots);
  return read;
}

}  // namespace

std::optional<ChangeBefore> to_change(const store::AuditRow& row) {
  const std::string_view verb = verb_of(row.action);
  ChangeBefore change{row.at, "command", row.actor, {}};
  if (row.action == "connection.update") {
    const Json& patch = get_member(row.detail, "patch");
    if (patch.contains("secrets")) {
      change.kind = "credential";
      change.what = "A secret was changed.";
    } else if (get_member(patch, "settings").contains("tls")) {
      change.kind = "certificate";
      change.what = "The TLS settings were changed.";
    } else {
      change.kind = "configuration";
      change.what = "The settings were changed.";
    }
    return change;
  }
  if (row.action.starts_with("certificate.")) {
    change.kind = "certificate";
    change.what = fmt::format("A certificate was changed ({}).", verb);
    return change;
  }
  if (row.action.starts_with("function.")) {
    if (verb == "execute") return std::nullopt;
    change.kind = "function";
    change.what = fmt::format("A function was changed ({}).", verb);
    return change;
  }
  if (row.action.starts_with("connection.") && verb != "test") {
    change.what = fmt::format("It got the command {}.", verb);
    return change;
  }
  return std::nullopt;
}

std::string summarise(const StateView& state, const Explanation& explanation, UtcTime now) {
  switch (state.status) {
    case Status::kIdle:
      return "It is not running; nobody started it, or somebody stopped it.";
    case Status::kSuspended:
      return fmt::format("Suspended by {}: {}",
                         state.suspension ? state.suspension->by : std::string("somebody"),
                         state.suspension ? state.suspension->reason : std::string());
    case Status::kConnected:
      return state.degraded ? fmt::format("Connected, but {}.", *state.degraded)
                            : std::string("Connected; nothing is wrong.");
    default:
      break;
  }
  std::string text =
      fmt::format("Down for {}", span_text(now - explanation.since.value_or(state.since)));
  if (state.cause) {
    text += fmt::format(": {}, {}", sentence_of(*state.cause),
                        times_text(std::max<std::int64_t>(1, explanation.occurrences)));
  }
  text += '.';
  const std::string next = outlook(state, now);
  return next.empty() ? text : text + ' ' + next;
}

Task<Result<Explanation>> explain_connection(store::Store& store, StateView state,
                                             std::vector<std::string> targets, UtcTime now) {
  if (targets.size() > kMaxTargets) targets.resize(kMaxTargets);
  std::move_only_function<Result<Read>(store::SessionRef)> work =
      [targets = std::move(targets)](soci::session& sql) { return read_all(sql, targets); };
  Result<Read> read = co_await store.read<Read>(std::move(work));
  if (!read) co_return fail(std::move(read.error()));
  Explanation explanation;
  explanation.down = wanted_up(state.status);
  if (explanation.down && read->outage) {
    explanation.since = read->outage->since;
    explanation.failures = read->outage->failures;
    explanation.causes = read->outage->causes;
    for (const auto& cause : explanation.causes) {
      if (!state.cause || cause.code != state.cause->error.code) continue;
      explanation.occurrences += cause.count;
      explanation.first_at = std::min(explanation.first_at.value_or(cause.first), cause.first);
      explanation.last_at = std::max(explanation.last_at.value_or(cause.last), cause.last);
    }
    for (const auto& row : read->changes) {
      if (auto change = to_change(row)) explanation.changes.push_back(*std::move(change));
    }
    for (const auto& boot : read->boots)
      explanation.changes.push_back({boot.at, "hub_start", {}, "The hub was started."});
    std::ranges::stable_sort(explanation.changes, std::greater{}, &ChangeBefore::at);
  }
  explanation.summary = summarise(state, explanation, now);
  co_return explanation;
}

}  // namespace tributary::connect
