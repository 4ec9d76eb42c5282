#include "connectors/modbus/src/writing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "connectors/modbus/src/errors.hpp"
#include "connectors/modbus/src/scan.hpp"
#include "connectors/modbus/src/write_plan.hpp"

namespace tributary::connectors::modbus {
namespace {

void mark(Scan& scan, const WriteStep& step, const std::shared_ptr<const Error>& error,
          Quality quality) {
  for (Sample& sample : scan.samples) {
    if (std::ranges::find(step.points, sample.point) == step.points.end()) continue;
    sample.quality = quality;
    sample.error = error;
    sample.value = std::monostate{};
  }
}

// What is left after a refusal, or after the time was over.
void skip(Scan& scan, std::span<const WriteStep> steps, std::string_view reason) {
  const auto error = std::make_shared<const Error>(
      ErrorClass::kFunction, "not_written", fmt::format("It was not written, because {}.", reason));
  for (const WriteStep& step : steps) mark(scan, step, error, kBad);
}

std::string names_of(std::span<const WriteStep> steps, const PointNames& names) {
  std::vector<std::string_view> list;
  for (const WriteStep& step : steps) {
    for (const std::uint32_t index : step.points) list.push_back(names[index]);
  }
  return fmt::format("{}", fmt::join(list, ", "));
}

Request reading_of(const WriteStep& step, bool swapped) {
  const Area area = step.kind == WriteKind::kCoils ? Area::kCoils : Area::kHoldingRegisters;
  return {read_function(area, swapped), step.address, step.quantity, {}};
}

// How one step ended, when the session goes on. No error: it was done.
struct Outcome {
  std::shared_ptr<const Error> error;
  Quality quality{};  // of its points, with an error
};

struct StepContext {
  Link& link;
  const WriteWork& work;
  const WritePlan& plan;
  SteadyTime deadline;
};

Outcome refusal(std::uint8_t exception, const Request& request, std::uint8_t unit) {
  Error error = exception_error(exception, request, unit);
  error.outcome_unknown = exception == static_cast<std::uint8_t>(ExceptionCode::kAcknowledge);
  if (request.function == FunctionCode::kMaskWriteRegister && error.code == "illegal_function") {
    error.hint = "A device without the mask write needs the setting bitWrites: readModifyWrite.";
  }
  return {std::make_shared<const Error>(std::move(error)), exception_quality(exception)};
}

// Bits without a mask write: the register as it is now, with the bits changed. Nothing of this
// session comes between; what others write in between is lost.
Task<Result<Outcome>> change_bits(StepContext& in, const WriteStep& step) {
  Link::Buffer buffer;
  const Request read = reading_of(step, in.link.options().swapped_reads);
  auto now = co_await in.link.ask(step.unit, read, in.deadline, true, buffer);
  if (!now) co_return std::unexpected(std::move(now.error()));
  if (now->state != ReplyState::kOk) co_return refusal(now->exception, read, step.unit);
  std::array<std::byte, 2> word;
  const std::uint16_t kept = load_u16(now->data.data()) & static_cast<std::uint16_t>(~step.mask);
  store_u16(word.data(), kept | step.bits);
  const Request write{
      in.work.multiple ? FunctionCode::kWriteMultipleRegisters : FunctionCode::kWriteSingleRegister,
      step.address, 1, word};
  auto reply = co_await in.link.ask(step.unit, write, in.deadline, true, buffer);
  if (!reply) {
    reply.error().outcome_unknown = true;
    co_return std::unexpected(std::move(reply.error()));
  }
  if (reply->state != ReplyState::kOk) co_return refusal(reply->exception, write, step.unit);
  co_return Outcome{};
}

Task<Result<Outcome>> verify(StepContext& in, const WriteStep& step) {
  Link::Buffer buffer;
  const Request read = reading_of(step, in.link.options().swapped_reads);
  auto reply = co_await in.link.ask(step.unit, read, in.deadline, true, buffer);
  if (!reply) {
    reply.error().message += " The write had been confirmed; reading it back failed.";
    co_return std::unexpected(std::move(reply.error()));
  }
  if (reply->state != ReplyState::kOk) {
    Error error = exception_error(reply->exception, read, step.unit);
    error.message += " The write had been confirmed; it cannot be read back.";
    error.hint = "Switch off verify for points that can only be written.";
    co_return Outcome{std::make_shared<const Error>(std::move(error)), kUncertain};
  }
  if (same_as_written(step, in.plan, reply->data)) co_return Outcome{};
  Error other(ErrorClass::kFunction, "not_verified",
              fmt::format("The device confirmed the write, but to {} gives another value.",
                          describe(read, step.unit)),
              "Does the device limit or overrule the value, or does it need time to take it over?");
  co_return Outcome{std::make_shared<const Error>(std::move(other)), kBad};
}

// Error: no answer. Then what happened is not known, unless the error says so.
Task<Result<Outcome>> write_step(StepContext& in, const WriteStep& step) {
  if (step.kind == WriteKind::kBits && !in.work.mask_write)
    co_return co_await change_bits(in, step);
  std::array<std::byte, kMaxPduSize> scratch;
  Link::Buffer buffer;
  const Request request = to_request(step, in.plan, in.work.multiple, scratch);
  auto reply = co_await in.link.ask(step.unit, request, in.deadline, true, buffer);
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  if (reply->state != ReplyState::kOk) co_return refusal(reply->exception, request, step.unit);
  co_return Outcome{};
}

Error unanswered(Error error, std::span<const WriteStep> steps, std::size_t at, bool confirmed,
                 const PointNames& names) {
  if (const auto before = steps.first(at + (confirmed ? 1 : 0)); !before.empty())
    error.message += fmt::format(" Written before: {}.", names_of(before, names));
  if (error.outcome_unknown) {
    error.message += fmt::format(" Whether this was done is not known: {}.",
                                 names_of(steps.subspan(at, 1), names));
  }
  return error;
}

}  // namespace

Task<Result<Scan>> write_points(Link& link, const ModbusOperation& operation,
                                const Json& parameters, SteadyTime deadline) {
  const auto& work = std::get<WriteWork>(operation.work());
  auto plan = plan_write(work, operation.points(), parameters);
  if (!plan) co_return std::unexpected(std::move(plan.error()));
  StepContext in{link, work, *plan, deadline};
  Scan& scan = plan->scan;
  const std::span<const WriteStep> steps = plan->steps;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i > 0 && link.now() >= deadline) {
      skip(scan, steps.subspan(i), "the time for the call was over");
      break;
    }
    auto outcome = co_await write_step(in, steps[i]);
    const bool confirmed = outcome.has_value() && outcome->error == nullptr;
    if (confirmed && work.verify) outcome = co_await verify(in, steps[i]);
    if (!outcome) {
      co_return std::unexpected(
          unanswered(std::move(outcome.error()), steps, i, confirmed, operation.names()));
    }
    if (outcome->error == nullptr) continue;
    mark(scan, steps[i], outcome->error, outcome->quality);
    const std::string name = names_of(steps.subspan(i, 1), operation.names());
    skip(scan, steps.subspan(i + 1),
         confirmed ? "what came before it was not taken over: " + name
                   : "the device refused what came before it: " + name);
    break;
  }
  scan.receive_time = link.clock().utc_now();
  co_return std::move(scan);
}

Task<Result<Scan>> exchange_points(Link& link, const ModbusOperation& operation,
                                   const Json& parameters, SteadyTime deadline) {
  const auto& work = std::get<ExchangeWork>(operation.work());
  const auto names = std::make_shared<const PointNames>(operation.names());
  auto plan = plan_write(work.write, names, parameters);
  if (!plan) co_return std::unexpected(std::move(plan.error()));
  if (plan->steps.size() > 1 || plan->scan.samples.size() != work.write.points.size()) {
    co_return fail(ErrorClass::kFunction, "missing_value",
                   "One request writes all points, and not all of them have a value.",
                   "Give every point a value.", "/settings/values");
  }
  const WriteStep& step = plan->steps.front();
  Request request{FunctionCode::kReadWriteRegisters, work.block.address, work.block.quantity,
                  std::span<const std::byte>(plan->bytes), step.address};
  Link::Buffer buffer;
  auto reply = co_await link.ask(step.unit, request, deadline, true, buffer);
  if (!reply) {
    co_return std::unexpected(unanswered(std::move(reply.error()), plan->steps, 0, false, *names));
  }
  if (reply->state != ReplyState::kOk)
    co_return fail(*refusal(reply->exception, request, step.unit).error);
  Scan scan{operation.points(), link.clock().utc_now(), {}};
  scan.samples.resize(work.reads.size());
  for (std::uint32_t i = 0; i < scan.samples.size(); ++i) scan.samples[i].point = i;
  decode_points(work.block, work.reads, *work.read_names, reply->data, scan.samples);
  co_return scan;
}

}  // namespace tributary::connectors::modbus
