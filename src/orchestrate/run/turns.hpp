// Whose turn it is: pipelines that share an executor begin their waiting batches in the order of
// their priority. Nobody starves: whoever was passed over often enough is next.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>

#include "orchestrate/model/plan.hpp"
#include "runtime/event.hpp"

namespace tributary::orchestrate {

// A waiting batch of a lower priority goes first after it was passed over this often.
constexpr int kMaxPassedOver = 8;

class Turns {
 public:
  explicit Turns(Executor executor) : executor_(std::move(executor)) {}

  // A pipeline's place at an executor. Alone at it, it never waits.
  class Seat {
   public:
    Seat(std::shared_ptr<Turns> turns, Priority priority)
        : turns_(std::move(turns)), priority_(priority) {
      ++turns_->seats_;
    }
    ~Seat() { --turns_->seats_; }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    // Resumes when a batch may begin. On the executor.
    Task<void> wait();

   private:
    std::shared_ptr<Turns> turns_;
    Priority priority_;
  };

 private:
  struct Line {
    std::deque<std::shared_ptr<Event>> waiting;
    int passed_over = 0;
  };

  static void give(const std::shared_ptr<Turns>& turns);
  // The line whose first is next; null when nobody waits.
  Line* next();

  Executor executor_;
  std::array<Line, 3> lines_;  // by Priority: high, normal, low
  bool posted_ = false;
  std::atomic<int> seats_{0};  // seats are made on the control executor
};

}  // namespace tributary::orchestrate
