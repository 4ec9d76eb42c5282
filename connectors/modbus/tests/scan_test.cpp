// A scan against the clock: what happens when its time is over between two requests.
#include "connectors/modbus/src/scan.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "connectors/modbus/src/mbap_channel.hpp"
#include "connectors/modbus/tests/fixture.hpp"
#include "runtime/manual_timers.hpp"

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;

// Registers hold their own address; each answer takes 40 ms of a clock that the test owns.
class SlowDevice final : public net::Stream {
 public:
  explicit SlowDevice(ManualClock& clock) : clock_(clock) {}

  Task<Result<void>> write_all(std::span<const std::byte> data, SteadyTime) override {
    Frame frame;
    Request request;
    if (parse_frame(data, frame) != FrameState::kComplete || decode_request(frame.pdu, request))
      std::abort();
    std::array<std::byte, kMaxPduSize> values;
    for (std::size_t i = 0; i < request.quantity; ++i) {
      store_u16(&values[2 * i], static_cast<std::uint16_t>(request.address + i));
    }
    const auto registers = std::span<const std::byte>(values).first(request.quantity * 2U);
    size_ = encode_reply(frame.transaction, frame.unit, request, registers, reply_);
    clock_.advance(40ms);
    ++requests;
    co_return Result<void>{};
  }
  Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, SteadyTime) override {
    std::copy_n(reply_.begin(), size_, buffer.begin());
    co_return size_;
  }
  void abort() noexcept override {}
  void close() noexcept override {}
  const std::string& peer() const override { return peer_; }
  int requests = 0;

 private:
  ManualClock& clock_;
  std::array<std::byte, kMaxFrameSize> reply_;
  std::size_t size_ = 0;
  std::string peer_ = "slow device";
};

class ScanTest : public ModbusTest {
 protected:
  Result<Batch> scan(Duration time) {
    auto stream = std::make_unique<SlowDevice>(clock_);
    device_ = stream.get();
    const Executor executor = context_.executor();
    auto channel =
        std::make_unique<MbapChannel>(std::move(stream), executor, timers_, MbapOptions{});
    UnitPolicy policy;
    policy.known.set(1);
    link_ = std::make_unique<Link>(std::move(channel), executor, timers_, clock_,
                                   LinkOptions{1s, {}, false}, policy);
    auto read = context_.run(read_points(*link_, plans_, *operation_, clock_.steady_now() + time));
    if (!read) return std::unexpected(read.error());
    return Batch::of(std::move(*read));
  }
  ManualClock clock_;
  ManualTimers timers_{clock_, context_.loop()};
  LivePlans plans_;
  std::unique_ptr<Link> link_;
  SlowDevice* device_ = nullptr;
  std::shared_ptr<const ModbusOperation> operation_ =
      prepare_operation(profile(502).settings, {"modbus.read", json(registers(0, 3, 500))}, 1)
          .value();
};

TEST_F(ScanTest, AllPointsAreAnsweredWhenThereIsTime) {
  EXPECT_EQ(operation_->round_trips(), 3U);
  EXPECT_EQ(values(scan(200ms)), json(R"({"r0": 0, "r1": 500, "r2": 1000})"));
}

TEST_F(ScanTest, WhenTimeIsOverTheRestSaysSoAndIsNotAsked) {
  const auto batch = scan(70ms);
  EXPECT_EQ(values(batch), json(R"({"r0": 0, "r1": 500, "r2": "scan_too_slow"})"));
  EXPECT_EQ(device_->requests, 2);
  const Sample& late = batch->scans().at(0).samples.at(2);
  EXPECT_EQ(late.quality, kBadTimeout);
  EXPECT_THAT(late.error->message, ::testing::HasSubstr("2 of 3 requests"));
}

}  // namespace
}  // namespace tributary::connectors::modbus
