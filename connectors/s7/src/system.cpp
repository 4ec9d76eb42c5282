#include "connectors/s7/src/system.hpp"

#include <fmt/format.h>

#include "connectors/s7/src/errors.hpp"

namespace tributary::connectors::s7 {
namespace {

constexpr std::size_t kMaxAnswer = 65'536;

constexpr std::uint8_t kReadSystemList = 1;
constexpr std::uint8_t kCountBlocks = 1;
constexpr std::uint8_t kListBlocks = 2;
constexpr std::uint8_t kReadClock = 1;
constexpr std::uint8_t kSetClock = 2;
constexpr std::uint8_t kSetPassword = 1;

using Answer = std::vector<std::byte>;

Error refusal(const UserReply& reply, std::string_view what) {
  return message_error(reply.error != 0 ? reply.error : reply.code, what);
}

// Asks and joins the pieces of the answer.
Task<Result<Answer>> ask(Channel& channel, UserData request, std::string_view what,
                         SteadyTime deadline, Effect effect = Effect::kNone) {
  Answer all;
  while (true) {
    auto turn = co_await channel.take_turn(Urgency::kOther, deadline);
    if (!turn) co_return std::unexpected(std::move(turn.error()));
    const std::size_t size = encode_user_data(channel.next_reference(), request, channel.out());
    auto message = co_await channel.exchange(size, deadline, effect);
    if (!message) co_return std::unexpected(std::move(message.error()));
    if (message->error != 0) co_return std::unexpected(message_error(message->error, what));
    UserReply reply;
    if (!decode_user_data(*message, request, reply))
      co_return std::unexpected(channel.wrong_answer(what));
    // An error, or a code instead of data. Nothing to say is said with 0x0A and no data.
    const bool nothing = reply.code == 0x0A && reply.data.empty();
    if (reply.error != 0 || (reply.code != kItemDone && !nothing))
      co_return std::unexpected(refusal(reply, what));
    all.insert(all.end(), reply.data.begin(), reply.data.end());
    if (!reply.more) co_return all;
    if (all.size() > kMaxAnswer || reply.sequence == 0)
      co_return std::unexpected(channel.wrong_answer(what));
    request.sequence = reply.sequence;
    request.data = {};
  }
}

Task<Result<Answer>> read_system_list(Channel& channel, std::uint16_t id, std::string_view what,
                                      SteadyTime deadline) {
  std::array<std::byte, 4> which{};
  store_u16(which.data(), id);
  const UserData request{Group::kCpu, kReadSystemList, which, 0};
  co_return co_await ask(channel, request, what, deadline);
}

constexpr std::uint16_t kModuleList = 0x0011;
constexpr std::uint16_t kComponentList = 0x001C;
constexpr std::uint16_t kStateList = 0x0424;

bool is_refusal(const Error& error) {
  return error.error_class == ErrorClass::kFunction || error.error_class == ErrorClass::kIdentity;
}

Task<Result<Json>> describe_cpu(Channel& channel, SteadyTime deadline) {
  const auto info = co_await read_info(channel, deadline);
  if (!info) co_return std::unexpected(info.error());
  Json json = json_object();
  json["orderNumber"] = info->order_number;
  json["version"] = info->version;
  json["module"] = info->module;
  json["name"] = info->name;
  json["serialNumber"] = info->serial;
  json["plant"] = info->plant;
  co_return json;
}

Task<Result<Json>> read_state(Channel& channel, SteadyTime deadline) {
  constexpr std::string_view what = "read its state";
  const auto bytes = co_await read_system_list(channel, kStateList, what, deadline);
  if (!bytes) co_return std::unexpected(bytes.error());
  const auto list = parse_system_list(*bytes);
  if (!list) co_return std::unexpected(channel.wrong_answer(what));
  Json json = json_object();
  json["state"] = std::string(parse_state(*list));
  co_return json;
}

Task<Result<Json>> list_blocks(Channel& channel, SteadyTime deadline) {
  constexpr std::string_view what = "list its blocks";
  const UserData counting{Group::kBlocks, kCountBlocks, {}, 0};
  const auto counted = co_await ask(channel, counting, what, deadline);
  if (!counted) co_return std::unexpected(counted.error());
  Json blocks = json_array();
  for (const BlockCount& count : parse_block_counts(*counted)) {
    Json one = json_object();
    one["type"] = std::string(count.type->name);
    one["count"] = count.count;
    Json numbers = json_array();
    if (count.count > 0) {
      const std::array<std::byte, 2> type{std::byte{0x30}, count.type->code};
      const UserData listing{Group::kBlocks, kListBlocks, type, 0};
      const auto listed = co_await ask(channel, listing, what, deadline);
      if (!listed) co_return std::unexpected(listed.error());
      for (const std::uint16_t number : parse_block_numbers(*listed)) numbers.push_back(number);
    }
    one["numbers"] = std::move(numbers);
    blocks.push_back(std::move(one));
  }
  Json json = json_object();
  json["blocks"] = std::move(blocks);
  co_return json;
}

Task<Result<Json>> read_clock(Channel& channel, SteadyTime deadline) {
  constexpr std::string_view what = "read its clock";
  const UserData request{Group::kTime, kReadClock, {}, 0};
  const auto bytes = co_await ask(channel, request, what, deadline);
  if (!bytes) co_return std::unexpected(bytes.error());
  const auto time = parse_clock_reply(*bytes);
  if (!time) co_return std::unexpected(channel.wrong_answer(what));
  Json json = json_object();
  json["clock"] = clock_text(*time);
  co_return json;
}

ClockTime to_clock(UtcTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(now - day);
  return {day, static_cast<std::uint64_t>(rest.count()) * 1'000'000};
}

Task<Result<Json>> set_clock(Channel& channel, ClockTime time, SteadyTime deadline) {
  const auto bytes = clock_request(time);
  if (!bytes) {
    co_return fail(ErrorClass::kFunction, "out_of_range",
                   fmt::format("{} is beyond what an S7 clock holds.", clock_text(time)));
  }
  const UserData request{Group::kTime, kSetClock, *bytes, 0};
  const auto done = co_await ask(channel, request, "set its clock", deadline, Effect::kChanges);
  if (!done) co_return std::unexpected(done.error());
  Json json = json_object();
  json["clock"] = clock_text(time);
  co_return json;
}

Task<Result<Json>> run_or_stop(Channel& channel, ControlSettings::Action action,
                               SteadyTime deadline) {
  using Action = ControlSettings::Action;
  const bool stop = action == Action::kStop;
  const std::string_view what = stop ? "stop" : "start";
  auto turn = co_await channel.take_turn(Urgency::kOther, deadline);
  if (!turn) co_return std::unexpected(std::move(turn.error()));
  const std::uint16_t reference = channel.next_reference();
  const std::size_t size =
      stop ? encode_stop(reference, channel.out())
           : encode_start(reference, action == Action::kColdStart, channel.out());
  auto message = co_await channel.exchange(size, deadline, Effect::kChanges);
  if (!message) co_return std::unexpected(std::move(message.error()));
  if (message->error != 0) co_return std::unexpected(message_error(message->error, what));
  // Some CPUs answer that nothing had to be done with a number behind the function.
  Json json = json_object();
  json["state"] = stop ? "stop" : "run";
  const auto parameters = message->parameters;
  constexpr auto kAlready = std::byte{0x07};
  constexpr auto kAlreadyRuns = std::byte{0x02};
  const bool refused = parameters.size() > 1 && parameters[1] != std::byte{0} &&
                       parameters[1] != kAlready && parameters[1] != kAlreadyRuns;
  if (refused) {
    co_return fail(ErrorClass::kFunction, "refused",
                   fmt::format("The CPU refused to {}: its code 0x{:02X}.", what,
                               std::to_integer<int>(parameters[1])),
                   "Is its mode switch at RUN, and does its protection allow this?");
  }
  co_return json;
}

}  // namespace

Task<Result<void>> unlock(Channel& channel, const Secret& password, SteadyTime deadline) {
  const auto folded = fold_password(password.reveal());
  const UserData request{Group::kSecurity, kSetPassword, folded, 0};
  const auto done = co_await ask(channel, request, "accept the password", deadline);
  if (!done) co_return std::unexpected(done.error());
  co_return Result<void>{};
}

Task<Result<CpuInfo>> read_info(Channel& channel, SteadyTime deadline) {
  constexpr std::string_view what = "tell what it is";
  CpuInfo info;
  const auto module = co_await read_system_list(channel, kModuleList, what, deadline);
  if (!module && !is_refusal(module.error())) co_return std::unexpected(module.error());
  if (module) {
    if (const auto list = parse_system_list(*module)) add_module(*list, info);
  }
  const auto component = co_await read_system_list(channel, kComponentList, what, deadline);
  if (!component && !is_refusal(component.error())) co_return std::unexpected(component.error());
  if (component) {
    if (const auto list = parse_system_list(*component)) add_component(*list, info);
  }
  co_return info;
}

Task<Result<Json>> answer(Channel& channel, SystemSettings::Question question,
                          SteadyTime deadline) {
  using Question = SystemSettings::Question;
  switch (question) {
    case Question::kState:
      co_return co_await read_state(channel, deadline);
    case Question::kInfo:
      co_return co_await describe_cpu(channel, deadline);
    case Question::kBlocks:
      co_return co_await list_blocks(channel, deadline);
    case Question::kClock:
      co_return co_await read_clock(channel, deadline);
  }
  co_return fail(ErrorClass::kInternal, "unknown_question", "The question is not known.");
}

Task<Result<Json>> control(Channel& channel, const ControlWork& work, UtcTime now,
                           SteadyTime deadline) {
  if (work.action == ControlSettings::Action::kSetClock) {
    const ClockTime time = work.time.value_or(to_clock(now));
    co_return co_await set_clock(channel, time, deadline);
  }
  co_return co_await run_or_stop(channel, work.action, deadline);
}

}  // namespace tributary::connectors::s7
