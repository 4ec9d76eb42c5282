// The thread that curl runs on, and what is on its way. For the files of this folder.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include "http/transfer.hpp"

namespace tributary::http {

Error cancelled_error();

// Any thread.
class Loop {
 public:
  explicit Loop(Clock& clock);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Clock& clock() const { return clock_; }
  // Ends everything that is under way; whoever waits is answered. Idempotent.
  void stop();
  void submit(std::unique_ptr<Transfer> transfer);
  std::uint64_t new_channel();
  // Ends the transfers of the channel and closes its connections; nothing is submitted after it.
  void end_channel(std::uint64_t channel);

 private:
  struct EndOfChannel {
    std::uint64_t channel;
  };
  using Order = std::variant<std::unique_ptr<Transfer>, EndOfChannel>;

  void run();
  bool admit();
  void begin(std::unique_ptr<Transfer> transfer);
  void end(std::uint64_t channel);
  void reap();
  void finish(void* easy, std::optional<int> code);
  void release();

  Clock& clock_;
  // Of the thread. Pools go after the transfers that use them.
  void* multi_ = nullptr;  // CURLM
  std::map<std::uint64_t, std::unique_ptr<Pool>> pools_;
  std::map<void*, std::unique_ptr<Transfer>> active_;  // by CURL

  std::mutex mutex_;
  std::deque<Order> orders_;
  std::size_t count_ = 0;
  std::uint64_t channels_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tributary::http
