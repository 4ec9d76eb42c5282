#include "connectors/modbus/src/commands.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/modbus/src/errors.hpp"
#include "connectors/modbus/src/identification.hpp"
#include "field/codec.hpp"

namespace tributary::connectors::modbus {
namespace {

// Parts of an identification; a device that goes on beyond it does not count right.
constexpr int kMostPages = 8;

// Sub-functions of function 8 that only read (V1.1b3, 6.8).
constexpr std::pair<std::uint16_t, const char*> kCounters[] = {
    {11, "busMessages"},       {12, "busErrors"},         {13, "exceptions"},
    {14, "serverMessages"},    {15, "serverNoResponses"}, {17, "serverBusy"},
    {18, "characterOverruns"},
};
constexpr std::uint16_t kEchoedData = 0xA537;

Json refused(const Error& error) {
  Json inner = json_object();
  inner.insert_or_assign("code", error.code);
  inner.insert_or_assign("message", error.message);
  Json outer = json_object();
  outer.insert_or_assign("error", std::move(inner));
  return outer;
}

// One question of a diagnosis; a refusal is an error of class kFunction.
Task<Result<Reply>> question(Link& link, std::uint8_t unit, Request request, SteadyTime deadline,
                             Link::Buffer& buffer) {
  auto reply = co_await link.ask(unit, request, deadline, false, buffer);
  if (reply && reply->state == ReplyState::kException)
    co_return fail(exception_error(reply->exception, request, unit));
  co_return reply;
}

bool ends_session(const Error& error) {
  return error.error_class != ErrorClass::kFunction && error.error_class != ErrorClass::kBusy;
}

Json event_counter(std::span<const std::byte> data) {
  Json counter = json_object();
  counter.insert_or_assign("busy", load_u16(&data[0]) == 0xFFFF);
  counter.insert_or_assign("count", load_u16(&data[2]));
  return counter;
}

Task<Result<Json>> counters(Link& link, std::uint8_t unit, SteadyTime deadline) {
  Json list = json_object();
  Link::Buffer buffer;
  constexpr std::array<std::byte, 2> kNothing{};
  for (const auto& [code, name] : kCounters) {
    const Request request{FunctionCode::kDiagnostics, code, 1, kNothing};
    const auto reply = co_await question(link, unit, request, deadline, buffer);
    if (!reply && ends_session(reply.error())) co_return std::unexpected(reply.error());
    // A device that does not know the first one knows none.
    if (!reply && list.empty()) co_return refused(reply.error());
    if (reply) list.insert_or_assign(name, load_u16(reply->data.data()));
  }
  co_return list;
}

}  // namespace

Task<Result<Scan>> read_fifo(Link& link, const ModbusOperation& operation, SteadyTime deadline) {
  const auto& work = std::get<FifoWork>(operation.work());
  const Request request{FunctionCode::kReadFifoQueue, work.address, 1, {}};
  Link::Buffer buffer;
  const auto reply = co_await question(link, work.unit, request, deadline, buffer);
  if (!reply) co_return std::unexpected(reply.error());
  Json values = json_array();
  for (std::size_t at = 0; at < reply->data.size(); at += 2) {
    const field::Decoded decoded = field::decode_value(work.format, reply->data.subspan(at, 2));
    values.push_back(to_json(decoded.value));
  }
  Scan scan{operation.points(), link.clock().utc_now(), {}};
  Sample sample;
  sample.value = std::move(values);
  scan.samples.push_back(std::move(sample));
  co_return scan;
}

Task<Result<std::vector<std::pair<std::uint8_t, std::string>>>> read_identification(
    Link& link, std::uint8_t unit, SteadyTime deadline) {
  std::vector<std::pair<std::uint8_t, std::string>> objects;
  Link::Buffer buffer;
  std::uint8_t code = kReadRegular;
  std::uint8_t next = 0;
  for (int page_number = 0; page_number < kMostPages; ++page_number) {
    const auto asked = static_cast<std::uint16_t>(code << 8 | next);
    const Request request{FunctionCode::kReadDeviceIdentification, asked, 1, {}};
    const auto reply = co_await question(link, unit, request, deadline, buffer);
    // A device with the basic objects only may refuse the regular ones.
    const bool basic_only = !reply && reply.error().code == "illegal_value" && code == kReadRegular;
    if (basic_only) {
      code = kReadBasic;
      continue;
    }
    if (!reply) co_return std::unexpected(reply.error());
    IdentificationPage page;
    if (!parse_identification(reply->data, page)) {
      co_return fail(ErrorClass::kFunction, "invalid_identification",
                     fmt::format("What unit {} says about itself makes no sense.", unit));
    }
    for (IdentificationObject& object : page.objects)
      objects.emplace_back(object.id, std::move(object.text));
    if (!page.more || page.next <= next) break;
    next = page.next;
  }
  std::ranges::stable_sort(objects, {}, [](const auto& object) { return object.first; });
  co_return objects;
}

Task<Result<Record>> diagnose(Link& link, std::uint8_t unit, SteadyTime deadline) {
  Record record = json_object();
  record.insert_or_assign("unitId", unit);
  const auto identity = co_await read_identification(link, unit, deadline);
  if (!identity && ends_session(identity.error())) co_return std::unexpected(identity.error());
  Json names = identity ? json_object() : refused(identity.error());
  if (identity) {
    for (const auto& [id, text] : *identity) names.insert_or_assign(object_name(id), text);
  }
  record.insert_or_assign("identification", std::move(names));

  Link::Buffer buffer;
  const Request status{FunctionCode::kReadExceptionStatus, 0, 1, {}};
  auto reply = co_await question(link, unit, status, deadline, buffer);
  if (!reply && ends_session(reply.error())) co_return std::unexpected(reply.error());
  record.insert_or_assign("exceptionStatus", reply ? Json(std::to_integer<int>(reply->data[0]))
                                                   : refused(reply.error()));

  std::array<std::byte, 2> data;
  store_u16(data.data(), kEchoedData);
  const Request echo{FunctionCode::kDiagnostics, 0, 1, data};
  reply = co_await question(link, unit, echo, deadline, buffer);
  if (!reply && ends_session(reply.error())) co_return std::unexpected(reply.error());
  record.insert_or_assign(
      "echo", reply ? Json(std::ranges::equal(reply->data, data)) : refused(reply.error()));

  const Request events{FunctionCode::kGetCommEventCounter, 0, 1, {}};
  reply = co_await question(link, unit, events, deadline, buffer);
  if (!reply && ends_session(reply.error())) co_return std::unexpected(reply.error());
  record.insert_or_assign("eventCounter",
                          reply ? event_counter(reply->data) : refused(reply.error()));

  auto line = co_await counters(link, unit, deadline);
  if (!line) co_return std::unexpected(line.error());
  record.insert_or_assign("counters", *std::move(line));
  co_return record;
}

}  // namespace tributary::connectors::modbus
