#include "orchestrate/delivery/send.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kRecords = "records";
// Calls that share one way to the connection and back.
constexpr std::size_t kCallsTogether = 100;
// After so many refusals, one after the other, the caller shall think again.
constexpr std::size_t kMaxRefusedInARow = 20;
constexpr std::string_view kPayload = "payload";
constexpr std::string_view kNotTried = "not_tried";
constexpr std::string_view kRecordPointer = "/parameters/records/";

// A part of the list that is sent in one call.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

// The records from `begin` on that can share a call: the same parameters.
Range call_from(const Destination& destination, std::span<const Outgoing> items,
                std::size_t begin) {
  Range range{begin, begin + 1};
  if (!destination.function.batch || !items[begin].record) return range;
  const std::size_t limit = std::min(items.size(), begin + destination.max_records);
  while (range.end < limit && items[range.end].record &&
         items[range.end].parameters == items[begin].parameters) {
    ++range.end;
  }
  return range;
}

Json arguments_of_call(const Destination& destination, std::span<const Outgoing> items,
                       const Range& range) {
  Json arguments = arguments_of(destination.function, items[range.begin]);
  if (!destination.function.batch || !items[range.begin].record) return arguments;
  Json records = json_array();
  records.reserve(range.size());
  for (std::size_t i = range.begin; i < range.end; ++i) records.push_back(*items[i].record);
  arguments.insert_or_assign(kRecords, std::move(records));
  return arguments;
}

// The record that a destination named, as a place in the list: "/parameters/records/17".
std::optional<std::size_t> named_record(const Error& error, const Range& range) {
  if (!error.pointer.starts_with(kRecordPointer)) return std::nullopt;
  const char* first = error.pointer.data() + kRecordPointer.size();
  const char* last = error.pointer.data() + error.pointer.size();
  std::size_t place = 0;
  const auto read = std::from_chars(first, last, place);
  if (read.ec != std::errc{} || place >= range.size()) return std::nullopt;
  return range.begin + place;
}

bool blames_function(const Error& error) {
  return error.pointer.starts_with("/settings");
}

// Not the record's fault: it may work later.
bool is_obstacle(const Error& error) {
  return will_pass(error) || blames_function(error) || error.error_class != ErrorClass::kFunction;
}

struct Sending {
  bool took(const Range& range, Result<Batch> answer);

  const Destination& destination;
  std::span<const Outgoing> items;
  SendReport report;
  std::vector<Range> parts;  // of a call that was refused, the next one last
  std::size_t refused_in_a_row = 0;
};

// What became of the records [begin, end) of a call, or of one record: false when an obstacle ends
// the sending.
bool Sending::took(const Range& range, Result<Batch> answer) {
  std::optional<Error> error;
  if (answer) {
    error = refused_point(*answer);
  } else {
    error = std::move(answer.error());
  }
  if (!error) {
    report.done = range.end;
    refused_in_a_row = 0;
    return true;
  }
  if (error->outcome_unknown && !destination.repeat_unknown) {
    error->message += " The write may have reached the target and is not repeated.";
    for (std::size_t i = range.begin; i < range.end; ++i) report.refused.emplace_back(i, *error);
    report.done = range.end;
    return true;
  }
  if (!answer && is_obstacle(*error)) {
    report.obstacle = std::move(error);
    report.tried = range.size();
    return false;
  }
  if (range.size() == 1) {
    report.refused.emplace_back(range.begin, std::move(*error));
    report.done = range.end;
    ++refused_in_a_row;
    return true;
  }
  if (const auto named = named_record(*error, range)) {
    if (*named + 1 < range.end) parts.push_back({*named + 1, range.end});
    parts.push_back({*named, *named + 1});
    if (*named > range.begin) parts.push_back({range.begin, *named});
    return true;
  }
  const std::size_t middle = range.begin + range.size() / 2;
  parts.push_back({middle, range.end});
  parts.push_back({range.begin, middle});
  return true;
}

// One record a call.
Task<void> send_singly(FunctionPort& port, Sending& sending) {
  const std::size_t begin = sending.report.done;
  const std::size_t end = std::min(sending.items.size(), begin + kCallsTogether);
  std::vector<Json> parameters;
  parameters.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i)
    parameters.push_back(arguments_of(sending.destination.function, sending.items[i]));
  std::string id = sending.destination.function.id;
  const connect::Calls calls{1, true};
  std::vector<Result<Batch>> answers = co_await port.execute_all(
      std::move(id), std::move(parameters), sending.destination.timeout, calls);
  for (std::size_t i = begin; i < end; ++i) {
    const Range range{i, i + 1};
    const auto& answer = answers[i - begin];
    if (!answer && answer.error().code == kNotTried) co_return;
    if (!sending.took(range, std::move(answers[i - begin]))) co_return;
  }
}

// Many records a call.
Task<void> send_together(FunctionPort& port, Sending& sending) {
  auto& parts = sending.parts;
  if (parts.empty())
    parts.push_back(call_from(sending.destination, sending.items, sending.report.done));
  const Range range = parts.back();
  parts.pop_back();
  std::string id = sending.destination.function.id;
  Json arguments = arguments_of_call(sending.destination, sending.items, range);
  Result<Batch> answer =
      co_await port.execute(std::move(id), std::move(arguments), sending.destination.timeout);
  sending.took(range, std::move(answer));
}

}  // namespace

Task<SendReport> send(FunctionPort& port, const Destination& destination,
                      std::span<const Outgoing> items, std::function<bool()> stopped) {
  Sending sending{destination, items, {}, {}, 0};
  while (sending.report.done < items.size() && !sending.report.obstacle &&
         sending.refused_in_a_row < kMaxRefusedInARow && !stopped()) {
    const bool together =
        destination.function.batch && items[sending.report.done].record.has_value();
    if (together) {
      co_await send_together(port, sending);
    } else {
      co_await send_singly(port, sending);
    }
  }
  co_return std::move(sending.report);
}

Json arguments_of(const FunctionInfo& function, const Outgoing& outgoing) {
  const bool given = outgoing.parameters.is_object();
  if (function.batch) return given ? outgoing.parameters : json_object();
  if (!outgoing.record) return given ? outgoing.parameters : json_object();
  Json arguments = given                          ? outgoing.parameters
                   : outgoing.record->is_object() ? *outgoing.record
                                                  : json_object();
  // A destination without a template writes the record. Field devices write points, not documents.
  if (function.family != sdk::Family::kFieldDevice)
    arguments.insert_or_assign(kPayload, *outgoing.record);
  return arguments;
}

bool will_pass(const Error& error) {
  constexpr std::array<std::string_view, 5> kAbsent = {"not_running", "connection_disconnected",
                                                       "connection_failed", "connection_suspended",
                                                       "not_found"};
  return is_connection_error(error.error_class) ||
         std::ranges::find(kAbsent, error.code) != kAbsent.end();
}

std::optional<Error> refused_point(const Batch& batch) {
  if (!batch.is_scans()) return std::nullopt;
  for (const Scan& scan : batch.scans()) {
    for (const Sample& sample : scan.samples) {
      if (!sample.error) continue;
      Error error = *sample.error;
      error.message = fmt::format("{}: {}", scan.name_of(sample), error.message);
      return error;
    }
  }
  return std::nullopt;
}

}  // namespace tributary::orchestrate
