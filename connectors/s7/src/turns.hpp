// Who may ask next: one at a time, writes first.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>

#include "runtime/event.hpp"

namespace tributary::connectors::s7 {

enum class Urgency : std::uint8_t { kWrite, kOther };

// Lives on one executor, and longer than every Turn.
class Turns {
 public:
  // Held while one asks and looks at the answer.
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->release();
    }

   private:
    Turns* turns_;
  };

  explicit Turns(Executor executor) : executor_(executor) {}

  // Nothing when `deadline` came first.
  Task<std::optional<Turn>> take(Urgency urgency, Timers& timers, SteadyTime deadline);
  bool taken() const { return taken_; }

 private:
  struct Waiter {
    explicit Waiter(Executor executor) : ready(executor) {}
    Event ready;
    bool granted = false;
  };
  void release();

  Executor executor_;
  bool taken_ = false;
  std::array<std::deque<std::shared_ptr<Waiter>>, 2> waiting_;  // by urgency
};

}  // namespace tributary::connectors::s7
