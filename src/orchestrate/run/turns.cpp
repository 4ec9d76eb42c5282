#include "orchestrate/run/turns.hpp"

namespace tributary::orchestrate {

Task<void> Turns::Seat::wait() {
  if (turns_->seats_ < 2) co_return;
  const std::shared_ptr<Turns> turns = turns_;
  auto turn = std::make_shared<Event>(turns->executor_);
  turns->lines_[static_cast<std::size_t>(priority_)].waiting.push_back(turn);
  if (!std::exchange(turns->posted_, true)) {
    asio::post(turns->executor_, [turns] { give(turns); });
  }
  co_await turn->wait();
}

// One turn each time round: what the batch does until it first waits for something comes before the
// next turn is given.
void Turns::give(const std::shared_ptr<Turns>& turns) {
  turns->posted_ = false;
  Line* line = turns->next();
  if (line == nullptr) return;
  line->waiting.front()->set();
  line->waiting.pop_front();
  line->passed_over = 0;
  bool more = false;
  for (Line& other : turns->lines_) {
    more = more || !other.waiting.empty();
    if (&other != line && !other.waiting.empty()) ++other.passed_over;
  }
  if (!more) return;
  turns->posted_ = true;
  asio::post(turns->executor_, [turns] { give(turns); });
}

Turns::Line* Turns::next() {
  for (auto line = lines_.rbegin(); line != lines_.rend(); ++line) {
    if (!line->waiting.empty() && line->passed_over >= kMaxPassedOver) return &*line;
  }
  for (Line& line : lines_) {
    if (!line.waiting.empty()) return &line;
  }
  return nullptr;
}

}  // namespace tributary::orchestrate
