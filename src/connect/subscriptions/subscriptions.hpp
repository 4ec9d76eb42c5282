// All subscriptions of one connection: made with each session, ended with it, refused ones tried
// again, silent ones noticed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "connect/subscriptions/runner.hpp"

namespace tributary::connect {

// Lives on the connection's executor.
class Subscriptions : public std::enable_shared_from_this<Subscriptions> {
 public:
  struct News {
    // The note changed while a session is up ("1 of 3 subscriptions refused", or nothing).
    std::function<void(std::uint64_t epoch, std::optional<std::string> note)> degraded;
    // A function fell silent (a message), or is so no longer (none).
    std::function<void(const std::string& function_id, std::optional<std::string> message)> silent;
  };
  Subscriptions(Executor executor, Clock& clock, Timers& timers, News news);

  // Part of making a session (T3): plans every enabled subscription and has the pushed ones
  // confirmed. Answers the degraded note. Error: a connection class; what is refused for itself
  // does not end the session.
  Task<Result<std::optional<std::string>>> open(std::shared_ptr<LiveSession> live,
                                                std::shared_ptr<const ConnectionConfig> config,
                                                std::vector<std::shared_ptr<FunctionSlot>> slots,
                                                SteadyTime deadline);
  // The session is adopted: polling begins, refused ones are tried again.
  void start();
  // The session is over, or about to be.
  void stop();
  // The connection is at rest: nobody waits for values.
  void forget_silence();
  // A new configuration that does not end the session.
  void set_config(std::shared_ptr<const ConnectionConfig> config);

  // A function came or was edited while the session is up or being made. Its old form, if any, ends
  // first.
  Task<void> replace(std::shared_ptr<FunctionSlot> slot);
  // A function was disabled or deleted.
  Task<void> remove(std::string function_id);

 private:
  struct Entry {
    std::shared_ptr<FunctionSlot> slot;
    std::shared_ptr<Runner> runner;  // absent while refused
    std::shared_ptr<PolledRunner> polled;
    std::unique_ptr<Timer> retry;
    int refusals = 0;
    std::optional<UtcTime> silent_since;
  };

  // Plans and, when pushed, subscribes. The error is the function's own unless it is of a
  // connection class.
  Task<Result<void>> make(std::string function_id, SteadyTime deadline);
  void refuse(Entry& entry, Error error);
  void arm_retry(Entry& entry);
  Task<void> retry(std::string function_id, std::uint64_t epoch);
  Entry* find(const std::string& function_id);
  std::optional<std::string> note() const;
  void tell_note();
  void start_polling(Entry& entry, std::size_t index, std::size_t count);

  // subscriptions_watch.cpp
  // Judges every subscription by its freshness, and comes back when the next one may be silent.
  void watch();
  void judge_silence(Entry& entry, SteadyTime now);
  void clear_silence(const std::string& function_id);
  // True when the session was given up.
  bool rebuild_when_due(SteadyTime now);
  std::optional<SteadyTime> next_watch(SteadyTime now) const;
  std::optional<std::string> silence_note() const;

  Executor executor_;
  Clock& clock_;
  Timers& timers_;
  News news_;
  std::shared_ptr<LiveSession> live_;
  std::shared_ptr<const ConnectionConfig> config_;
  std::vector<Entry> entries_;
  // Came while the session was being made, from a list that does not have them: start() takes them.
  std::vector<std::shared_ptr<FunctionSlot>> late_;
  std::optional<std::string> told_;
  bool started_ = false;
  std::unique_ptr<Timer> watch_timer_;
  std::set<std::string> silent_;  // functions of which news_.silent was told
};

}  // namespace tributary::connect
