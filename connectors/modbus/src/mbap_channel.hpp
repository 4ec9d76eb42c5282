// Modbus TCP and UDP: transaction ids, buffering, and everything a peer can answer wrongly.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "connectors/modbus/src/channel.hpp"
#include "connectors/modbus/src/wire.hpp"

namespace tributary::connectors::modbus {

struct MbapOptions {
  bool check_unit = true;  // an answer must carry the unit id that was asked
  // An answer must carry the id of its request. Without it, there is no telling a late answer from
  // the right one: a time-out then ends the channel.
  bool check_transaction = true;
  bool datagrams = false;  // UDP: a datagram is a frame, and what makes no sense is dropped
  std::size_t window = 1;
  // A unit that had been given up, or was only probed, has answered.
  std::function<void(std::uint8_t unit)> answered_late{};
};

class MbapChannel final : public Channel, public Pipeline {
 public:
  MbapChannel(std::unique_ptr<net::Stream> stream, Executor executor, Timers& timers,
              MbapOptions options);

  Task<Result<Reply>> exchange(Ask ask) override;
  void abort() noexcept override { wire_.abort(); }
  void close() noexcept override { wire_.close(); }
  const std::string& peer() const override { return wire_.peer(); }
  Pipeline* pipeline() override { return options_.check_transaction ? this : nullptr; }
  std::size_t patience() const override { return options_.datagrams ? 3 : 1; }
  std::uint64_t discarded() const override { return discarded_; }

  std::size_t window() const override { return options_.window; }
  Task<Result<std::uint16_t>> send(Ask ask) override;
  Task<Result<Reply>> receive(std::uint16_t ticket) override;
  Task<Result<void>> probe(std::uint8_t unit, const Request& request, SteadyTime deadline) override;

 private:
  // A request on its way. Its answer is kept here when another one is waited for.
  struct Pending {
    std::uint16_t transaction = 0;
    Ask ask;
    bool answered = false;
    Reply reply;
    std::vector<std::byte> kept;
  };
  // A request that is not waited for any more.
  struct GivenUp {
    std::uint16_t transaction = 0;
    std::uint8_t unit = 0;
  };

  // The next request's frame, in the buffer of requests.
  std::span<const std::byte> next_frame(std::uint8_t unit, const Request& request);
  Pending* find(std::uint16_t transaction);
  void forget(std::uint16_t transaction);
  void give_up(std::uint16_t transaction, std::uint8_t unit);
  // True when the answer to `wanted` was among what has come, false when more has to come.
  Result<bool> take_answers(std::uint16_t wanted, Reply& reply);
  Result<void> take_frame(const Frame& frame, std::uint16_t wanted, Reply& reply, bool& done);
  bool was_asked(std::uint16_t transaction) const;
  void note_stray(const Frame& frame);
  Error unreadable() const;
  Error silent(Error error, const Ask& ask) const;

  Wire wire_;
  MbapOptions options_;
  std::uint16_t transaction_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t discarded_ = 0;
  std::vector<Pending> pending_;  // as many as the window, in the order they were sent
  std::deque<GivenUp> given_up_;
  std::vector<std::byte> last_kept_;  // of the reply that was given last
  // Received bytes not used yet: [begin_, end_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::array<std::byte, kMaxFrameSize> out_;
  // Room for the rest of one frame and a whole second one: merged frames need no second buffer.
  std::array<std::byte, 2 * kMaxFrameSize> in_;
};

}  // namespace tributary::connectors::modbus
