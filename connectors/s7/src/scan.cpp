#include "connectors/s7/src/scan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/s7/src/errors.hpp"

namespace tributary::connectors::s7 {
namespace {

// What became of a block in this pass.
enum class State : std::uint8_t { kKnown, kPending, kRead, kRefused };

// One pass over the blocks, in rounds: what is refused and can be made smaller goes into the next.
class Pass {
 public:
  Pass(const S7Operation& operation, LivePlan& plan, const Limits& limits)
      : operation_(operation),
        work_(std::get<ReadWork>(operation.work())),
        plan_(plan),
        limits_(limits),
        scan_{operation.points(), {}, {}} {
    scan_.samples.resize(work_.variables.size());
    for (std::uint32_t i = 0; i < scan_.samples.size(); ++i) scan_.samples[i].point = i;
    begin();
  }

  // Null when all is asked.
  const Chunks* next() {
    while (at_ >= round_->size()) {
      if (!start_round()) return nullptr;
    }
    return &(*round_)[at_++];
  }

  void answered(const Chunks& chunks, const ItemReplies& replies) {
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      if (replies[i].code != kItemDone) {
        refused(chunks[i], item_error(replies[i].code, chunks[i].item, false),
                item_quality(replies[i].code), worth_splitting(replies[i].code));
        continue;
      }
      std::ranges::copy(replies[i].data,
                        plan_.image.begin() + static_cast<std::ptrdiff_t>(chunks[i].offset));
      State& state = states_[chunks[i].block];
      if (state == State::kPending) state = State::kRead;
    }
  }

  void refused(const Chunks& chunks, std::uint16_t code) {
    for (const Chunk& chunk : chunks)
      refused(chunk, message_error(code, "read " + describe(chunk.item)), kBadConfigurationError,
              false);
  }

  void too_slow() {
    const auto error = std::make_shared<const Error>(
        ErrorClass::kFunction, "scan_too_slow",
        "The time was over before the CPU had answered every request.",
        "Give the request timeout or the interval more time, or spread the points over several "
        "functions.");
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (states_[i] != State::kPending) continue;
      fail_variables(plan_.blocks[i], error, kBadTimeout);
      states_[i] = State::kKnown;
    }
  }

  Scan take(UtcTime now) {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      LivePlan::Refusal& refusal = plan_.refusals[i];
      if (states_[i] == State::kRead) {
        refusal.error.reset();
        decode_block(plan_.blocks[i]);
      } else if (states_[i] == State::kRefused) {
        fail_variables(plan_.blocks[i], refusal.error, refusal.quality);
      }
    }
    scan_.receive_time = now;
    return std::move(scan_);
  }

 private:
  void begin() {
    ++plan_.scans;
    // A function of which nothing is answered is left alone by the framework; when that asks, the
    // CPU is to say how things are now.
    const bool all_refused = std::ranges::all_of(
        plan_.refusals, [](const LivePlan::Refusal& refusal) { return refusal.error != nullptr; });
    states_.resize(plan_.blocks.size(), State::kPending);
    bool whole = true;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const auto& refusal = plan_.refusals[i];
      if (!refusal.error || !work_.polled || all_refused || plan_.scans >= refusal.retry_at)
        continue;
      fail_variables(plan_.blocks[i], refusal.error, refusal.quality);
      states_[i] = State::kKnown;
      whole = false;
    }
    if (!whole) {
      pack_pending();
      return;
    }
    if (plan_.requests.empty()) {
      pack_pending();
      plan_.requests = std::move(own_);
    }
    round_ = &plan_.requests;
  }

  void pack_pending() {
    std::vector<std::uint32_t> indexes;
    for (std::uint32_t i = 0; i < states_.size(); ++i) {
      if (states_[i] == State::kPending) indexes.push_back(i);
    }
    own_ = pack(plan_.blocks, indexes, limits_);
    round_ = &own_;
    at_ = 0;
  }

  void refused(const Chunk& chunk, Error error, Quality quality, bool split) {
    State& state = states_[chunk.block];
    if (state == State::kRefused) return;  // another part of it was
    state = State::kRefused;
    LivePlan::Refusal& refusal = plan_.refusals[chunk.block];
    refusal = {std::make_shared<const Error>(std::move(error)), quality,
               plan_.scans + kRetryParkedEvery};
    if (split) to_split_.push_back(chunk.block);
  }

  // False when nothing is left to ask.
  bool start_round() {
    const auto refused = std::exchange(to_split_, {});
    bool any = false;
    for (const std::uint32_t index : refused) any = replace(index) || any;
    if (!any) return false;
    plan_.requests.clear();
    pack_pending();
    return true;
  }

  // The first part takes the block's place, the others stand behind all.
  bool replace(std::uint32_t index) {
    auto parts = split(plan_.blocks[index], work_.variables);
    if (parts.empty()) return false;
    plan_.blocks[index] = std::move(parts.front());
    plan_.refusals[index] = {};
    states_[index] = State::kPending;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      plan_.blocks.push_back(std::move(parts[i]));
      plan_.refusals.emplace_back();
      states_.push_back(State::kPending);
    }
    return true;
  }

  void decode_block(const Block& block) {
    const std::span<const std::byte> image(plan_.image);
    for (const std::uint32_t index : block.variables) {
      const Variable& variable = work_.variables[index];
      const auto bytes =
          image.subspan(block.offset + block.bytes_to(variable.begin), variable.bytes());
      field::Decoded decoded = decode(variable.layout, variable.bit, bytes);
      Sample& sample = scan_.samples[index];
      sample.value = std::move(decoded.value);
      sample.quality = decoded.quality;
      if (decoded.problem == nullptr) continue;
      sample.error = std::make_shared<const Error>(
          ErrorClass::kFunction, "invalid_value",
          fmt::format("Point '{}': {}", operation_.names()[index], decoded.problem),
          "Are address and data type those of the CPU's program?");
    }
  }

  void fail_variables(const Block& from, const std::shared_ptr<const Error>& error,
                      Quality quality) {
    for (const std::uint32_t index : from.variables) {
      Sample& sample = scan_.samples[index];
      sample.quality = quality;
      sample.error = error;
    }
  }

  const S7Operation& operation_;
  const ReadWork& work_;
  LivePlan& plan_;
  const Limits& limits_;
  Scan scan_;
  std::vector<State> states_;  // by block
  std::vector<std::uint32_t> to_split_;
  std::vector<Chunks> own_;  // requests of this round, unless it is the plan's whole
  const std::vector<Chunks>* round_ = nullptr;
  std::size_t at_ = 0;
};

}  // namespace

LivePlan& LivePlans::of(const S7Operation& operation, std::span<const Variable> variables,
                        const Limits& limits) {
  const auto found = plans_.find(operation.id());
  if (found != plans_.end()) return found->second;
  if (plans_.size() >= kMaxPlans) plans_.erase(plans_.begin());
  LivePlan& plan = plans_[operation.id()];
  plan.blocks = make_blocks(variables, limits);
  plan.refusals.resize(plan.blocks.size());
  std::size_t size = 0;
  for (const Block& block : plan.blocks) size += block.bytes();
  plan.image.resize(size);
  return plan;
}

Task<Result<void>> read_items(Channel& channel, std::span<const Item> items, SteadyTime deadline,
                              ItemReplies& replies, std::uint16_t& refused) {
  const std::size_t size = encode_read(channel.next_reference(), items, channel.out());
  auto answer = co_await channel.exchange(size, deadline);
  if (!answer) {
    Error error = std::move(answer.error());
    error.message += fmt::format(" It was asked for {}.", describe(items.front()));
    co_return std::unexpected(std::move(error));
  }
  refused = answer->error;
  if (refused == 0 && !decode_read(*answer, items, replies)) {
    co_return std::unexpected(
        channel.wrong_answer(fmt::format("read {}", describe(items.front()))));
  }
  co_return Result<void>{};
}

Task<Result<Scan>> read_variables(Channel& channel, LivePlans& plans, const S7Operation& operation,
                                  CallLimits limits, const Clock& clock) {
  const auto& work = std::get<ReadWork>(operation.work());
  Pass pass(operation, plans.of(operation, work.variables, limits.wire), limits.wire);
  ItemReplies replies;
  Items items;
  bool first = true;
  while (const Chunks* chunks = pass.next()) {
    if (!std::exchange(first, false) && clock.steady_now() >= limits.deadline) {
      pass.too_slow();
      break;
    }
    auto turn = co_await channel.take_turn(Urgency::kOther, limits.deadline);
    if (!turn) {
      pass.too_slow();
      break;
    }
    for (std::size_t i = 0; i < chunks->size(); ++i) items[i] = (*chunks)[i].item;
    std::uint16_t refused = 0;
    const SteadyTime deadline =
        std::min(limits.deadline, clock.steady_now() + limits.request_timeout);
    auto read = co_await read_items(channel, std::span(items).first(chunks->size()), deadline,
                                    replies, refused);
    if (!read) co_return std::unexpected(std::move(read.error()));
    if (refused != 0) {
      pass.refused(*chunks, refused);
    } else {
      pass.answered(*chunks, replies);
    }
  }
  co_return pass.take(clock.utc_now());
}

}  // namespace tributary::connectors::s7
