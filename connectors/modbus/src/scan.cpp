#include "connectors/modbus/src/scan.hpp"

#include <fmt/format.h>
#include <deque>
#include <map>

#include "connectors/modbus/src/errors.hpp"
#include "field/codec.hpp"

namespace tributary::connectors::modbus {
namespace {

std::shared_ptr<const Error> problem(const char* text, const std::string& name) {
  return std::make_shared<const Error>(ErrorClass::kFunction, "invalid_value",
                                       fmt::format("Point '{}': {}", name, text),
                                       "Are data type, byte order and address right?");
}

// One pass over the blocks: where it stands and what it has gathered.
class Pass {
 public:
  Pass(const ModbusOperation& operation, LivePlans& plans, bool swapped)
      : operation_(operation),
        work_(std::get<ReadWork>(operation.work())),
        swapped_(swapped),
        plans_(plans),
        live_(plans.find(operation.id())),
        scan_{operation.points(), {}, {}} {
    scan_.samples.resize(work_.points.size());
    for (std::uint32_t i = 0; i < scan_.samples.size(); ++i) scan_.samples[i].point = i;
    done_.resize(size());
    if (live_ == nullptr) return;
    ++live_->scans;
    all_refused_ = std::ranges::all_of(
        live_->blocks, [](const LiveBlock& live) { return live.refused != nullptr; });
  }

  std::size_t size() const { return live_ != nullptr ? live_->blocks.size() : work_.blocks.size(); }
  const Block& block(std::size_t at) const {
    return live_ != nullptr ? live_->blocks[at].block : work_.blocks[at];
  }
  bool done(std::size_t at) const { return done_[at]; }
  Request request(std::size_t at) const {
    const Block& from = block(at);
    return {read_function(from.area, swapped_), from.address, from.quantity, {}};
  }

  // True when this block needs no request: its points are answered by what is known.
  bool skip(std::size_t at) {
    if (const auto& away = away_[block(at).unit]) {
      fail_points(block(at), away, kBadCommunicationError);
      done_[at] = true;
    } else if (live_ != nullptr && !all_refused_) {
      // A function of which nothing is answered is left alone by the framework; when that asks,
      // the device is to say how things are now.
      const LiveBlock& live = live_->blocks[at];
      if (!live.refused || !work_.polled || live_->scans >= live.retry_at) return false;
      fail_points(live.block, live.refused, live.quality);
      done_[at] = true;
    }
    return done_[at];
  }

  void answered(std::size_t at, std::span<const std::byte> data) {
    if (live_ != nullptr) live_->blocks[at].refused.reset();
    decode_points(block(at), work_.points, operation_.names(), data, scan_.samples);
    done_[at] = true;
  }

  // Its unit gives no answers: the rest of it is not asked in this pass.
  void unit_away(std::size_t at, std::shared_ptr<const Error> why) {
    away_[block(at).unit] = std::move(why);
    skip(at);
  }

  void refused(std::size_t at, std::uint8_t exception) {
    if (worth_splitting(exception)) {
      std::vector<Block> parts = split(block(at), work_.points);
      if (!parts.empty()) {
        replace(at, parts);
        return;
      }
    }
    auto error =
        std::make_shared<const Error>(exception_error(exception, request(at), block(at).unit));
    if (unit_is_away(exception)) {
      unit_away(at, std::move(error));
      return;
    }
    const Quality quality = exception_quality(exception);
    fail_points(block(at), error, quality);
    done_[at] = true;
    if (!worth_splitting(exception)) return;
    if (live_ == nullptr) learn();
    LiveBlock& live = live_->blocks[at];
    live.refused = std::move(error);
    live.quality = quality;
    live.retry_at = live_->scans + kRetryParkedEvery;
  }

  void too_slow() {
    const auto answered = std::ranges::count(done_, true);
    const auto error = std::make_shared<const Error>(
        ErrorClass::kFunction, "scan_too_slow",
        fmt::format("The device answered {} of {} requests before the time was over.", answered,
                    size()),
        "Give the request timeout or the interval more time, or spread the points over several "
        "functions.");
    for (std::size_t at = 0; at < size(); ++at) {
      if (!done_[at]) fail_points(block(at), error, kBadTimeout);
    }
  }

  Scan take(UtcTime now) {
    scan_.receive_time = now;
    return std::move(scan_);
  }

 private:
  void learn() { live_ = &plans_.make(operation_.id(), work_.blocks); }

  void replace(std::size_t at, std::vector<Block>& parts) {
    if (live_ == nullptr) learn();
    auto& blocks = live_->blocks;
    blocks[at] = LiveBlock{std::move(parts.front()), nullptr, {}, 0};
    std::vector<LiveBlock> rest;
    for (std::size_t i = 1; i < parts.size(); ++i)
      rest.push_back(LiveBlock{std::move(parts[i]), nullptr, {}, 0});
    const auto next = static_cast<std::ptrdiff_t>(at) + 1;
    done_.insert(done_.begin() + next, rest.size(), false);
    blocks.insert(blocks.begin() + next, std::make_move_iterator(rest.begin()),
                  std::make_move_iterator(rest.end()));
  }

  void fail_points(const Block& from, const std::shared_ptr<const Error>& error, Quality quality) {
    for (const std::uint32_t index : from.points) {
      Sample& sample = scan_.samples[index];
      sample.quality = quality;
      sample.error = error;
    }
  }

  const ModbusOperation& operation_;
  const ReadWork& work_;
  bool swapped_;
  LivePlans& plans_;
  LivePlan* live_;
  Scan scan_;
  std::vector<bool> done_;                                     // by block
  bool all_refused_ = false;                                   // by the scan before
  std::map<std::uint8_t, std::shared_ptr<const Error>> away_;  // units that gave no answer
};

// Whether the unit of a block rests; then its points say why.
Task<void> leave_resting(Link& link, Pass& pass, std::size_t at, SteadyTime deadline) {
  const std::uint8_t unit = pass.block(at).unit;
  auto why = co_await link.rests(unit, pass.request(at), deadline);
  if (why) pass.unit_away(at, std::move(why));
}

// Several requests on their way. What is refused is left for the pass after it, which splits.
// Error: the session is over.
Task<Result<void>> read_ahead(Link& link, Pipeline& pipeline, Pass& pass, SteadyTime deadline) {
  struct OnTheWay {
    std::size_t at;
    std::uint16_t ticket;
    Ask ask;
  };
  std::deque<OnTheWay> flying;
  std::size_t next = 0;
  const auto turn = co_await link.take_turn(deadline, false);
  if (!turn) co_return Result<void>{};
  while (next < pass.size() || !flying.empty()) {
    const bool may_send = next < pass.size() && flying.size() < pipeline.window() &&
                          link.now() < deadline && !link.somebody_urgent_waits();
    if (may_send) {
      const std::size_t at = next++;
      if (pass.skip(at) || link.units().rests(pass.block(at).unit)) continue;
      const Ask ask = link.make_ask(pass.block(at).unit, pass.request(at), deadline, false);
      const auto ticket = co_await pipeline.send(ask);
      if (!ticket) co_return std::unexpected(ticket.error());
      flying.push_back({at, *ticket, ask});
      continue;
    }
    if (flying.empty()) break;  // the rest goes one by one
    const OnTheWay first = flying.front();
    flying.pop_front();
    auto reply = co_await pipeline.receive(first.ticket);
    if (!reply) {
      Error error = link.not_heard(first.ask, std::move(reply.error()));
      if (error.error_class != ErrorClass::kFunction) co_return std::unexpected(std::move(error));
      pass.unit_away(first.at, std::make_shared<const Error>(std::move(error)));
      continue;
    }
    link.heard(first.ask.unit, *reply, first.ask.request);
    if (reply->state == ReplyState::kOk) pass.answered(first.at, reply->data);
  }
  co_return Result<void>{};
}

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

void decode_points(const Block& block, std::span<const Point> points, const PointNames& names,
                   std::span<const std::byte> data, std::vector<Sample>& samples) {
  for (const std::uint32_t index : block.points) {
    const Point& point = points[index];
    Sample& sample = samples[index];
    const std::size_t offset = static_cast<std::size_t>(point.address - block.address);
    if (is_bit_area(point.area)) {
      sample.value = load_bit(data, offset);
      continue;
    }
    field::Decoded decoded =
        field::decode_value(point.format, data.subspan(offset * 2, point.quantity * 2U));
    sample.value = std::move(decoded.value);
    sample.quality = decoded.quality;
    if (decoded.problem != nullptr) sample.error = problem(decoded.problem, names[index]);
  }
}

Task<Result<Scan>> read_points(Link& link, LivePlans& plans, const ModbusOperation& operation,
                               SteadyTime deadline) {
  Pass pass(operation, plans, link.options().swapped_reads);
  Link::Buffer buffer;
  Pipeline* pipeline = link.channel().pipeline();
  if (pipeline != nullptr && pipeline->window() > 1 && pass.size() > 1) {
    auto ahead = co_await read_ahead(link, *pipeline, pass, deadline);
    if (!ahead) co_return std::unexpected(std::move(ahead.error()));
  }
  bool first = true;
  for (std::size_t at = 0; at < pass.size();) {
    if (!pass.done(at) && !pass.skip(at) && link.units().rests(pass.block(at).unit))
      co_await leave_resting(link, pass, at, deadline);
    if (pass.done(at)) {
      ++at;
      continue;
    }
    if (!std::exchange(first, false) && link.now() >= deadline) {
      pass.too_slow();
      break;
    }
    const std::uint8_t unit = pass.block(at).unit;
    auto reply = co_await link.ask(unit, pass.request(at), deadline, false, buffer);
    if (!reply) {
      Error error = std::move(reply.error());
      if (error.error_class != ErrorClass::kFunction) co_return std::unexpected(std::move(error));
      pass.unit_away(at, std::make_shared<const Error>(std::move(error)));
    } else if (reply->state == ReplyState::kOk) {
      pass.answered(at, reply->data);
    } else {
      pass.refused(at, reply->exception);
    }
  }
  co_return pass.take(link.clock().utc_now());
}

}  // namespace tributary::connectors::modbus
