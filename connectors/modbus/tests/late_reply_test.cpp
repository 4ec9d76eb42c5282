// Edge case 2: a late reply is never taken for the answer to the next request.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>

#include "base/random.hpp"
#include "connectors/modbus/src/mbap_channel.hpp"
#include "connectors/modbus/tests/fixture.hpp"

namespace tributary::connectors::modbus {
namespace {

using namespace std::chrono_literals;

// A device whose registers hold their own address, on a stream without a socket: it answers twice,
// late, or early answers again, in every order TCP allows. Deterministic.
class LateDevice final : public net::Stream {
 public:
  explicit LateDevice(std::uint64_t seed) : random_(seed) {}

  Task<Result<void>> write_all(std::span<const std::byte> data, SteadyTime) override {
    Frame frame;
    Request request;
    if (parse_frame(data, frame) != FrameState::kComplete || decode_request(frame.pdu, request))
      std::abort();
    std::array<std::byte, kMaxPduSize> values;
    for (std::size_t i = 0; i < request.quantity; ++i) {
      store_u16(&values[2 * i], static_cast<std::uint16_t>(request.address + i));
    }
    std::array<std::byte, kMaxFrameSize> out;
    const auto registers = std::span<const std::byte>(values).first(request.quantity * 2U);
    const std::size_t size = encode_reply(frame.transaction, frame.unit, request, registers, out);
    const std::vector<std::byte> reply(out.begin(),
                                       out.begin() + static_cast<std::ptrdiff_t>(size));
    // Copies of earlier answers come before the one that is waited for, and some after it.
    while (!late_.empty() && random_.next() % 2 == 0) {
      queue(late_.front());
      late_.pop_front();
    }
    queue(reply);
    if (random_.next() % 3 == 0) late_.push_back(reply);
    if (random_.next() % 7 == 0) queue(reply);
    co_return Result<void>{};
  }

  Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, SteadyTime) override {
    // Cut anywhere: merged frames and half ones.
    const std::size_t most = std::min(buffer.size(), waiting_.size() - taken_);
    const std::size_t count = 1 + random_.next() % std::min<std::size_t>(most, 300);
    std::memcpy(buffer.data(), waiting_.data() + taken_, count);
    taken_ += count;
    if (taken_ == waiting_.size()) {
      waiting_.clear();
      taken_ = 0;
    }
    co_return count;
  }
  void abort() noexcept override {}
  void close() noexcept override {}
  const std::string& peer() const override { return peer_; }

 private:
  void queue(const std::vector<std::byte>& reply) {
    waiting_.insert(waiting_.end(), reply.begin(), reply.end());
  }
  SeededRandom random_;
  std::vector<std::byte> waiting_;
  std::size_t taken_ = 0;
  std::deque<std::vector<std::byte>> late_;
  std::string peer_ = "late device";
};

Task<std::size_t> read_many(Channel& channel, std::size_t requests, std::size_t& values) {
  SeededRandom random(99);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < requests; ++i) {
    Request request;
    request.address = static_cast<std::uint16_t>(random.next() % 60'000);
    request.quantity = static_cast<std::uint16_t>(1 + random.next() % 16);
    Ask ask;
    ask.request = request;
    ask.deadline = SteadyTime::max();
    auto reply = co_await channel.exchange(ask);
    if (!reply || reply->state != ReplyState::kOk) co_return requests;
    for (std::size_t r = 0; r < request.quantity; ++r) {
      ++values;
      if (load_u16(&reply->data[2 * r]) != request.address + r) ++wrong;
    }
  }
  co_return wrong;
}

TEST(LateReply, Edge02NoWrongValueInAHundredThousandReads) {
  test::TestContext context;
  MbapChannel channel(std::make_unique<LateDevice>(4), context.executor(), context.timers(),
                      MbapOptions{});
  std::size_t values = 0;
  constexpr std::size_t kReads = 100'000;  // more than the 65 536 transaction ids
  EXPECT_EQ(context.run(read_many(channel, kReads, values), 100s), 0U);
  EXPECT_GT(values, kReads);
  EXPECT_GT(channel.discarded(), kReads / 4) << "the device must have been late";
}

using LateReplyTest = ModbusTest;

// Over real TCP: the answer comes after the deadline. The connection is dropped, and the next one
// starts clean.
TEST_F(LateReplyTest, Edge02AnAnswerAfterTheDeadlineIsNeverSeen) {
  using test::hex;
  std::vector<test::Script> scripts;
  scripts.push_back(test::Script().receive(12).send(hex("0001 0000 0005 01 03 02 0bad"), 80ms));
  scripts.push_back(test::Script().receive(12).send(hex("0001 0000 0005 01 03 02 0001")));
  test::ScriptedPeer peer(std::move(scripts));
  auto first = open(peer.port(), R"({"requestTimeoutMs": 50})");
  EXPECT_EQ(call(*first, "modbus.read", registers(0, 1)).error().code, "timeout");
  auto second = open(peer.port());
  EXPECT_EQ(values(call(*second, "modbus.read", registers(1, 1))), json(R"({"r0": 1})"));
}

}  // namespace
}  // namespace tributary::connectors::modbus
