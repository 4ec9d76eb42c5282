// A session's access to a line, which it may share with other sessions of other executors.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "connectors/modbus/src/channel.hpp"
#include "connectors/modbus/src/line.hpp"
#include "net/serial_stream.hpp"

namespace tributary::connectors::modbus {

class LineChannel final : public Channel {
 public:
  // An exclusive line ends with the channel; a shared one when the last channel lets go of it.
  LineChannel(std::shared_ptr<Line> line, Executor executor, Timers& timers, bool exclusive);
  ~LineChannel() override;

  Task<Result<Reply>> exchange(Ask ask) override;
  void abort() noexcept override;
  void close() noexcept override { abort(); }
  const std::string& peer() const override { return peer_; }
  // A byte on a serial line may get lost; what a converter answers over TCP does not.
  std::size_t patience() const override { return exclusive_ ? 1 : 3; }
  std::uint64_t discarded() const override { return line_->discarded(); }

 private:
  // A job and its way back to this executor.
  struct Errand {
    explicit Errand(Executor executor) : done(executor) {}
    std::shared_ptr<LineJob> job = std::make_shared<LineJob>();
    Event done;
    std::optional<Result<Reply>> result;
  };

  std::shared_ptr<Line> line_;
  Executor executor_;
  Timers& timers_;
  bool exclusive_;
  bool ended_ = false;
  std::string peer_;
  std::shared_ptr<Errand> errand_;
};

// The serial ports that are open in this process: one line for each, however many connections use
// it. Any thread.
class SerialLines {
 public:
  // Errors: those of net::open_serial; kConfiguration "line_in_use" when it is open with other
  // settings.
  Result<std::shared_ptr<Line>> acquire(const net::SerialSettings& settings,
                                        const LineOptions& options, Executor executor,
                                        Timers& timers);
  // What the units of a line owe, by the line's name.
  std::shared_ptr<Suspects> suspects(const std::string& line);

 private:
  struct Entry {
    std::weak_ptr<Line> line;
    net::SerialSettings settings;
    LineOptions options;
  };
  std::shared_ptr<Suspects> suspects_locked(const std::string& line);

  std::mutex mutex_;
  std::map<std::string, Entry> open_;
  std::map<std::string, std::shared_ptr<Suspects>> suspects_;
};

}  // namespace tributary::connectors::modbus
