#include "connectors/modbus/src/scan.hpp"

#include <fmt/format.h>
#include <bitset>

#include "connectors/modbus/src/errors.hpp"
#include "field/codec.hpp"

namespace tributary::connectors::modbus {
namespace {

// One pass over the blocks: where it stands and what it has gathered.
class Pass {
 public:
  Pass(const ModbusOperation& operation, LivePlans& plans)
      : operation_(operation),
        work_(std::get<ReadWork>(operation.work())),
        plans_(plans),
        live_(plans.find(operation.id())),
        scan_{operation.points(), {}, {}} {
    scan_.samples.resize(work_.points.size());
    for (std::uint32_t i = 0; i < scan_.samples.size(); ++i) scan_.samples[i].point = i;
    if (live_ == nullptr) return;
    ++live_->scans;
    all_refused_ = std::ranges::all_of(
        live_->blocks, [](const LiveBlock& live) { return live.refused != nullptr; });
  }

  bool done() const {
    return at_ >= (live_ != nullptr ? live_->blocks.size() : work_.blocks.size());
  }
  const Block& block() const {
    return live_ != nullptr ? live_->blocks[at_].block : work_.blocks[at_];
  }

  // True when this block needs no request: its points are answered by what is known.
  bool skip() {
    if (away_.test(block().unit)) {
      fail_points(block(), away_error_, kBadCommunicationError);
      ++at_;
      return true;
    }
    // A function of which nothing is answered is left alone by the framework; when that asks, the
    // device is to say how things are now.
    if (live_ == nullptr || all_refused_) return false;
    const LiveBlock& live = live_->blocks[at_];
    if (!live.refused || !work_.polled || live_->scans >= live.retry_at) return false;
    fail_points(live.block, live.refused, live.quality);
    ++at_;
    return true;
  }

  void answered(std::span<const std::byte> data) {
    if (live_ != nullptr) live_->blocks[at_].refused.reset();
    const Block& from = block();
    for (const std::uint32_t index : from.points) {
      const Point& point = work_.points[index];
      Sample& sample = scan_.samples[index];
      const std::size_t offset = static_cast<std::size_t>(point.address - from.address);
      if (is_bit_area(point.area)) {
        sample.value = load_bit(data, offset);
        continue;
      }
      field::Decoded decoded =
          field::decode_value(point.format, data.subspan(offset * 2, point.quantity * 2U));
      sample.value = std::move(decoded.value);
      sample.quality = decoded.quality;
      if (decoded.problem != nullptr) sample.error = problem(decoded.problem, index);
    }
    ++at_;
  }

  void refused(std::uint8_t exception, const Request& request) {
    if (worth_splitting(exception)) {
      std::vector<Block> parts = split(block(), work_.points);
      if (!parts.empty()) {
        replace(parts);
        return;
      }
    }
    const Quality quality = exception_quality(exception);
    auto error = std::make_shared<const Error>(exception_error(exception, request, block().unit));
    if (unit_is_away(exception)) {
      away_.set(block().unit);
      away_error_ = error;
    }
    fail_points(block(), error, quality);
    if (worth_splitting(exception)) {
      if (live_ == nullptr) learn();
      LiveBlock& live = live_->blocks[at_];
      live.refused = std::move(error);
      live.quality = quality;
      live.retry_at = live_->scans + kRetryParkedEvery;
    }
    ++at_;
  }

  void too_slow() {
    const std::size_t total = live_ != nullptr ? live_->blocks.size() : work_.blocks.size();
    const auto error = std::make_shared<const Error>(
        ErrorClass::kFunction, "scan_too_slow",
        fmt::format("The device answered {} of {} requests before the time was over.", at_, total),
        "Give the request timeout or the interval more time, or spread the points over several "
        "functions.");
    for (; !done(); ++at_) fail_points(block(), error, kBadTimeout);
  }

  Scan take(UtcTime now) {
    scan_.receive_time = now;
    return std::move(scan_);
  }

 private:
  void learn() { live_ = &plans_.make(operation_.id(), work_.blocks); }

  void replace(std::vector<Block>& parts) {
    if (live_ == nullptr) learn();
    auto& blocks = live_->blocks;
    blocks[at_] = LiveBlock{std::move(parts.front()), nullptr, {}, 0};
    std::vector<LiveBlock> rest;
    for (std::size_t i = 1; i < parts.size(); ++i)
      rest.push_back(LiveBlock{std::move(parts[i]), nullptr, {}, 0});
    blocks.insert(blocks.begin() + static_cast<std::ptrdiff_t>(at_) + 1,
                  std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  }

  void fail_points(const Block& from, const std::shared_ptr<const Error>& error, Quality quality) {
    for (const std::uint32_t index : from.points) {
      Sample& sample = scan_.samples[index];
      sample.quality = quality;
      sample.error = error;
    }
  }

  std::shared_ptr<const Error> problem(const char* text, std::uint32_t index) const {
    return std::make_shared<const Error>(
        ErrorClass::kFunction, "invalid_value",
        fmt::format("Point '{}': {}", operation_.names()[index], text),
        "Are data type, byte order and address right?");
  }

  const ModbusOperation& operation_;
  const ReadWork& work_;
  LivePlans& plans_;
  LivePlan* live_;
  Scan scan_;
  std::size_t at_ = 0;
  bool all_refused_ = false;  // by the scan before
  std::bitset<256> away_;     // units the gateway could not reach in this pass
  std::shared_ptr<const Error> away_error_;
};

}  // namespace

LivePlan* LivePlans::find(std::uint64_t operation) {
  const auto found = plans_.find(operation);
  return found == plans_.end() ? nullptr : &found->second;
}

LivePlan& LivePlans::make(std::uint64_t operation, const std::vector<Block>& blocks) {
  if (plans_.size() >= kMaxPlans) plans_.erase(plans_.begin());
  LivePlan& plan = plans_[operation];
  for (const Block& block : blocks) plan.blocks.push_back(LiveBlock{block, nullptr, {}, 0});
  plan.scans = 1;
  return plan;
}

Task<Result<Scan>> read_points(Channel& channel, LivePlans& plans, const ModbusOperation& operation,
                               ScanLimits limits, const Clock& clock) {
  Pass pass(operation, plans);
  for (bool first = true; !pass.done(); first = false) {
    if (pass.skip()) continue;
    const SteadyTime now = clock.steady_now();
    if (!first && now >= limits.deadline) {
      pass.too_slow();
      break;
    }
    const Block& block = pass.block();
    const Request request{read_function(block.area), block.address, block.quantity, {}};
    const SteadyTime deadline = std::min(limits.deadline, now + limits.request_timeout);
    auto reply = co_await channel.exchange(block.unit, request, deadline);
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    if (reply->state == ReplyState::kOk) {
      pass.answered(reply->data);
    } else {
      pass.refused(reply->exception, request);
    }
  }
  co_return pass.take(clock.utc_now());
}

}  // namespace tributary::connectors::modbus
