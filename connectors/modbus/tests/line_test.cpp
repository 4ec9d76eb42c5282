// Edge case 2 on lines without ids: a slave that answers late, over and over, in virtual time.
#include "connectors/modbus/src/line.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "base/random.hpp"
#include "connectors/modbus/simulator/responder.hpp"
#include "runtime/manual_timers.hpp"

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTimeout = 100ms;

// Registers hold their own address.
class OwnAddress final : public simulator::Device {
 public:
  std::optional<ExceptionCode> read(std::uint8_t, const Request& request,
                                    std::span<std::byte> out) override {
    if (is_bit_function(request.function)) return std::nullopt;
    if (refuses && request.address % 10 == 3) return ExceptionCode::kIllegalDataAddress;
    for (std::size_t i = 0; i < request.quantity; ++i)
      store_u16(&out[2 * i], static_cast<std::uint16_t>(request.address + i));
    return std::nullopt;
  }
  std::optional<ExceptionCode> write(std::uint8_t, const Request&) override { return std::nullopt; }
  bool refuses = false;
};

// A line with slaves. Each answers in the order it was asked, sometimes long after the deadline.
class SlowLine final : public net::Stream {
 public:
  struct Habits {
    unsigned late_every = 0;   // one answer of so many comes after the deadline
    unsigned noise_every = 0;  // one answer of so many has a wrong byte
    bool knows_echo = true;    // function 8; else it stays silent
    Framing framing = Framing::kRtu;
  };
  SlowLine(ManualTimers& timers, Executor executor, Habits habits)
      : timers_(timers), executor_(executor), habits_(habits) {}

  Task<Result<void>> write_all(std::span<const std::byte> data, SteadyTime) override {
    ++requests;
    LineFrame frame;
    LineScratch scratch;
    if (!find_line_frame(habits_.framing, Side::kRequest, std::nullopt, data, frame, scratch))
      std::abort();
    const bool echo = frame.pdu[0] == std::byte{8};
    if (echo) ++echoes;
    if (!echo || habits_.knows_echo) answer(frame);
    co_return Result<void>{};
  }
  Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, SteadyTime) override {
    while (waiting_.empty() && !ended_) {
      arrived_ = std::make_shared<Event>(executor_);
      const auto event = arrived_;
      co_await event->wait();
    }
    if (ended_) co_return fail(ErrorClass::kCancelled, "cancelled", "over");
    const std::size_t count =
        1 + random_.next() % std::min({buffer.size(), waiting_.size(), std::size_t{20}});
    std::copy_n(waiting_.begin(), count, buffer.begin());
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    co_return count;
  }
  void abort() noexcept override {
    ended_ = true;
    wake();
  }
  void close() noexcept override { abort(); }
  const std::string& peer() const override { return peer_; }

  int requests = 0;
  int echoes = 0;
  int late = 0;
  OwnAddress device;

 private:
  void answer(const LineFrame& frame) {
    std::array<std::byte, kMaxPduSize> pdu;
    const std::size_t pdu_size = responder_.answer(frame.unit, frame.pdu, pdu);
    std::array<std::byte, kMaxLineFrame> out;
    const auto body = std::span<const std::byte>(pdu).first(pdu_size);
    const std::size_t size = encode_line_frame(habits_.framing, frame.unit, body, out);
    std::vector<std::byte> reply(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    const auto one_of = [&](unsigned many) { return many > 0 && random_.next() % many == 0; };
    Duration takes = 2ms;
    if (one_of(habits_.late_every)) {
      ++late;
      takes = kTimeout + std::chrono::milliseconds(1 + random_.next() % 250);
    }
    if (one_of(habits_.noise_every)) reply[random_.next() % reply.size()] ^= std::byte{0x10};
    SteadyTime& free = busy_until_[frame.unit];
    free = std::max(free, timers_.now()) + takes;
    due_.push_back(timers_.at(executor_, free, [this, reply] {
      waiting_.insert(waiting_.end(), reply.begin(), reply.end());
      wake();
    }));
    if (due_.size() > 64) due_.pop_front();
  }
  void wake() {
    if (arrived_) std::exchange(arrived_, nullptr)->set();
  }

  ManualTimers& timers_;
  Executor executor_;
  Habits habits_;
  SeededRandom random_{17};
  simulator::Responder responder_{device};
  std::map<std::uint8_t, SteadyTime> busy_until_;
  std::deque<std::unique_ptr<Timer>> due_;
  std::deque<std::byte> waiting_;
  std::shared_ptr<Event> arrived_;
  bool ended_ = false;
  std::string peer_ = "slow line";
};

struct Outcome {
  std::size_t values = 0;
  std::size_t wrong = 0;
  std::size_t silent = 0;
  std::size_t refused = 0;
  std::size_t other = 0;
  bool done = false;
};

Task<void> read_many(std::shared_ptr<Line> line, Timers& timers, std::size_t requests,
                     std::size_t units, Outcome& outcome) {
  SeededRandom random(99);
  for (std::size_t i = 0; i < requests; ++i) {
    auto job = std::make_shared<LineJob>();
    job->ask.unit = static_cast<std::uint8_t>(1 + random.next() % units);
    job->ask.request.address = static_cast<std::uint16_t>(random.next() % 60'000);
    job->ask.request.quantity = static_cast<std::uint16_t>(1 + random.next() % 4);
    job->ask.deadline = timers.now() + kTimeout;
    const auto reply = co_await line->exchange(job);
    if (!reply) {
      is_silence(reply.error()) ? ++outcome.silent : ++outcome.other;
      continue;
    }
    if (reply->state == ReplyState::kException) {
      ++outcome.refused;
      if (job->ask.request.address % 10 != 3) ++outcome.wrong;
      continue;
    }
    for (std::size_t r = 0; r < job->ask.request.quantity; ++r) {
      ++outcome.values;
      if (load_u16(&reply->data[2 * r]) != job->ask.request.address + r) ++outcome.wrong;
    }
  }
  outcome.done = true;
}

class LineTest : public ::testing::Test {
 protected:
  Outcome run(SlowLine::Habits habits, std::size_t requests, std::size_t units,
              bool refuses = false) {
    auto stream = std::make_unique<SlowLine>(timers_, loop_.get_executor(), habits);
    stream_ = stream.get();
    stream_->device.refuses = refuses;
    LineOptions options;
    options.framing = habits.framing;
    options.silence = 1750us;
    line_ = std::make_shared<Line>(std::move(stream), loop_.get_executor(), timers_, options,
                                   std::make_shared<Suspects>());
    Outcome outcome;
    spawn(loop_.get_executor(), read_many(line_, timers_, requests, units, outcome));
    timers_.settle();
    while (!outcome.done && timers_.next()) timers_.advance(*timers_.next() - timers_.now());
    return outcome;
  }
  asio::io_context loop_;
  ManualClock clock_;
  ManualTimers timers_{clock_, loop_};
  SlowLine* stream_ = nullptr;
  std::shared_ptr<Line> line_;
};

TEST_F(LineTest, Edge02NoWrongValueInAHundredThousandReads) {
  const Outcome outcome = run({.late_every = 20}, 100'000, 1);
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.wrong, 0U);
  EXPECT_EQ(outcome.other, 0U);
  EXPECT_GT(stream_->late, 4'000) << "the slave must have been late";
  EXPECT_GT(outcome.values, 150'000U) << "and most answers must have come";
}

TEST_F(LineTest, Edge02UnitsThatDoNotKnowTheEchoAreAskedSomethingElse) {
  const Outcome outcome = run({.late_every = 20, .knows_echo = false}, 10'000, 3, true);
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.wrong, 0U);
  EXPECT_GT(outcome.refused, 500U);
  EXPECT_GT(outcome.values, 10'000U);
  EXPECT_GT(stream_->echoes, 100);
}

TEST_F(LineTest, NoiseCostsAnAnswerAndGivesNoWrongValue) {
  for (const Framing framing : {Framing::kRtu, Framing::kAscii}) {
    const Outcome outcome =
        run({.late_every = 50, .noise_every = 10, .framing = framing}, 5'000, 2);
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.wrong, 0U);
    EXPECT_GT(outcome.silent, 300U);
    EXPECT_GT(outcome.values, 5'000U);
  }
}

TEST_F(LineTest, ALineWithoutTroubleAsksNothingBesides) {
  const Outcome outcome = run({}, 1'000, 3);
  EXPECT_EQ(outcome.silent, 0U);
  EXPECT_EQ(stream_->requests, 1'000);
}

TEST_F(LineTest, TheSilenceIsThatOfTheStandard) {
  EXPECT_NEAR(std::chrono::duration<double>(silence_at(9600)).count(), 0.00401, 0.00001);
  EXPECT_EQ(silence_at(115200), Duration(1750us));
}

}  // namespace
}  // namespace tributary::connectors::modbus
