// One frame, from the hub's side: sent to a worker, answered within the wall clock's deadline, or
// the worker is killed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/runtime.hpp"
#include "script/frames.hpp"
#include "script/pool.hpp"

namespace tributary::script {

constexpr std::size_t kMaxAnswerBytes = 64U << 20;  // of one frame
constexpr Duration kWorkerStart{std::chrono::seconds{10}};

// How a conversation ended.
enum class Ending : std::uint8_t {
  kDone,     // everything was answered; the worker is healthy
  kRetired,  // answered up to a record; the worker ended as it said
  kExpired,  // one record used up its time in one step; the worker ended
  kKilled,   // no answer within the deadline
  kBroken,   // it ended without a word, or did not keep to the form
};

class Conversation {
 public:
  // Says whether the answer, which took `bytes`, is what was asked for.
  using Listener = std::function<bool(Answer& answer, std::size_t bytes)>;

  // `wall`: the longest time without an answer. Lives on the calling executor; the worker outlives
  // it.
  Conversation(Executor executor, Timers& timers, Worker& worker, const Limits& limits);

  // Sends `frame` and reads until the worker is done.
  Task<Ending> hold(std::string frame, Listener listener);

 private:
  struct Link;
  std::shared_ptr<Link> link_;
};

}  // namespace tributary::script
