// Any order of commits, settlements, releases, restarts and kills leaves a spool that says the same
// as a few lists in memory.
#include <rapidcheck.h>
#include <deque>
#include <fstream>

#include "spool/tests/support.hpp"

namespace tributary::spool {
namespace {

// One step, as numbers: rapidcheck makes them small when a case fails.
struct Step {
  enum Kind : int {
    kCommit,
    kSettle,
    kDie,
    kAhead,
    kRelease,
    kRemove,
    kForget,
    kRestart,
    kKill,
    kKinds
  };
  int kind = 0;
  int queue = 0;
  int amount = 0;
  int flavour = 0;
};

void showValue(const Step& step, std::ostream& out) {
  static constexpr std::array kNames = {"commit", "settle", "die",     "ahead", "release",
                                        "remove", "forget", "restart", "kill"};
  out << kNames[static_cast<std::size_t>(step.kind)] << "(queue " << step.queue << ", amount "
      << step.amount << ", flavour " << step.flavour << ")";
}

struct Waiting {
  std::int64_t seq = 0;
  std::string payload;
};

struct ModelQueue {
  std::int64_t next = 1;
  std::deque<Waiting> waiting;
  QueueStats stats;
  bool known = false;

  std::int64_t bytes() const {
    std::int64_t sum = 0;
    for (const Waiting& entry : waiting) sum += static_cast<std::int64_t>(entry.payload.size());
    return sum;
  }
};

struct ModelLetter {
  std::size_t queue = 0;
  std::int64_t seq = 0;
  std::string payload;
};

constexpr std::size_t kQueues = 3;
constexpr std::array kPolicies = {WhenFull::kBlock, WhenFull::kDropOldest, WhenFull::kDropNewest};

QueueId name_of(std::size_t queue) {
  return {"p1", fmt::format("d{}", queue)};
}

// The reference: what the header of the spool says, without any thought of how.
class Model {
 public:
  void push(std::size_t queue, std::string payload) {
    ModelQueue& target = queues[queue];
    target.known = true;
    ++target.stats.accepted;
    target.waiting.push_back({target.next++, std::move(payload)});
  }
  // False: refused.
  bool commit(std::size_t queue, const std::vector<std::string>& payloads, Bounds bounds) {
    if (payloads.empty()) return true;  // nothing that would want room
    ModelQueue& target = queues[queue];
    std::int64_t bytes = target.bytes();
    for (const std::string& payload : payloads) bytes += static_cast<std::int64_t>(payload.size());
    if (bounds.when_full == WhenFull::kBlock && !target.waiting.empty() && bytes > bounds.max_bytes)
      return false;
    bool refusing = false;
    for (const std::string& payload : payloads) {
      const bool fits =
          target.bytes() + static_cast<std::int64_t>(payload.size()) <= bounds.max_bytes;
      refusing = refusing ||
                 (bounds.when_full == WhenFull::kDropNewest && !fits && !target.waiting.empty());
      if (refusing) {
        ++target.stats.accepted;
        ++target.stats.dropped;
        continue;
      }
      push(queue, payload);
    }
    while (bounds.when_full == WhenFull::kDropOldest && target.bytes() > bounds.max_bytes &&
           target.waiting.size() > 1) {
      target.waiting.pop_front();
      ++target.stats.dropped;
    }
    return true;
  }
  // Of `count` entries behind the first `skipped` ones the first `dying` become dead letters.
  Settlement settle(std::size_t queue, std::size_t skipped, std::size_t count, std::size_t dying) {
    ModelQueue& target = queues[queue];
    Settlement settlement;
    skipped = std::min(skipped, target.waiting.size());
    const auto begin = target.waiting.begin() + static_cast<std::ptrdiff_t>(skipped);
    count = std::min(count, target.waiting.size() - skipped);
    if (skipped > 0 && count > 0) settlement.from = begin->seq;
    for (std::size_t i = 0; i < count; ++i) {
      Waiting& entry = begin[static_cast<std::ptrdiff_t>(i)];
      settlement.up_to = entry.seq;
      if (i >= dying) {
        ++target.stats.delivered;
        continue;
      }
      ++target.stats.dead;
      settlement.dead.push_back({entry.seq, 1, Error(ErrorClass::kFunction, "no", "No.")});
      letters.push_back({queue, entry.seq, std::move(entry.payload)});
    }
    target.waiting.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
    return settlement;
  }
  std::int64_t release() {
    std::ranges::stable_sort(letters, [](const ModelLetter& a, const ModelLetter& b) {
      return std::pair(a.queue, a.seq) < std::pair(b.queue, b.seq);
    });
    for (ModelLetter& letter : letters) push(letter.queue, std::move(letter.payload));
    return static_cast<std::int64_t>(std::exchange(letters, {}).size());
  }
  void forget(std::size_t queue) {
    ModelQueue& target = queues[queue];
    target.stats.dropped += static_cast<std::int64_t>(target.waiting.size());
    target.waiting.clear();
  }

  std::array<ModelQueue, kQueues> queues;
  std::vector<ModelLetter> letters;
};

class Trial {
 public:
  Trial() { open(); }

  void step(const Step& step) {
    const auto queue = static_cast<std::size_t>(step.queue);
    const auto amount = static_cast<std::size_t>(step.amount);
    switch (step.kind) {
      case Step::kCommit:
        return commit(queue, amount, step.flavour);
      case Step::kSettle:
        return settle(queue, model_.settle(queue, 0, amount, 0));
      case Step::kDie:
        return settle(queue, model_.settle(queue, 0, amount, amount / 2));
      case Step::kAhead:
        return settle(queue, model_.settle(queue, amount / 3, amount, amount / 4));
      case Step::kRelease:
        return release();
      case Step::kRemove:
        RC_ASSERT(*wait(spool_->remove("p1", {})) ==
                  static_cast<std::int64_t>(model_.letters.size()));
        return model_.letters.clear();
      case Step::kForget:
        RC_ASSERT(wait(spool_->forget_queue(name_of(queue))).has_value());
        return model_.forget(queue);
      case Step::kRestart:
        return open();
      default:
        return kill();
    }
  }

  void compare() {
    for (std::size_t queue = 0; queue < kQueues; ++queue) {
      const ModelQueue& expected = model_.queues[queue];
      const QueueStats stats = *wait(spool_->stats(name_of(queue)));
      RC_ASSERT(stats.accepted == expected.stats.accepted);
      RC_ASSERT(stats.delivered == expected.stats.delivered);
      RC_ASSERT(stats.dead == expected.stats.dead);
      RC_ASSERT(stats.dropped == expected.stats.dropped);
      RC_ASSERT(stats.lost == 0);
      RC_ASSERT(stats.last_seq == expected.next - 1);
      RC_ASSERT(stats.waiting == static_cast<std::int64_t>(expected.waiting.size()));
      RC_ASSERT(stats.bytes == expected.bytes());
      RC_ASSERT(stats.accepted ==
                stats.delivered + stats.dead + stats.dropped + stats.lost + stats.waiting);
      const auto found = wait(spool_->read(name_of(queue), 0, 100'000, 1U << 30));
      RC_ASSERT(found->size() == expected.waiting.size());
      for (std::size_t i = 0; i < found->size(); ++i) {
        RC_ASSERT((*found)[i].seq == expected.waiting[i].seq);
        RC_ASSERT((*found)[i].payload == expected.waiting[i].payload);
      }
    }
    RC_ASSERT(wait(spool_->dead_letters("p1", "", 1000))->size() == model_.letters.size());
  }

 private:
  void open() {
    spool_.reset();
    auto opened = Spool::open(directory_->path(), clock_);
    RC_ASSERT(opened.has_value());
    spool_ = std::move(*opened);
  }
  // What a killed process leaves: the files as they are in this moment.
  void kill() {
    auto after = std::make_unique<TemporaryDirectory>();
    for (const char* name : {"spool.db", "spool.db-wal", "spool.seen"})
      std::filesystem::copy_file(directory_->path() + "/" + name, after->path() + "/" + name);
    spool_.reset();
    directory_ = std::move(after);
    open();
  }
  void commit(std::size_t queue, std::size_t count, int flavour) {
    std::vector<std::string> payloads;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t size = static_cast<std::size_t>(flavour) * 37 + i * 11 % 50;
      payloads.push_back(fmt::format("{}/{}", queue, ++made_));
      payloads.back().resize(std::max(size, payloads.back().size()), '.');
    }
    const Bounds bounds{4000, kPolicies[queue % kPolicies.size()]};
    const auto done = wait(spool_->commit(one_append(payloads, name_of(queue), bounds)));
    const bool taken = model_.commit(queue, payloads, bounds);
    RC_ASSERT(done.has_value() == taken);
    if (!done) RC_ASSERT(done.error().code == "spool_full");
  }
  void settle(std::size_t queue, Settlement settlement) {
    RC_ASSERT(wait(spool_->settle(name_of(queue), std::move(settlement))).has_value());
  }
  void release() {
    const auto released = wait(spool_->release("p1", {}));
    RC_ASSERT(released.has_value());
    RC_ASSERT(*released == model_.release());
  }

  std::unique_ptr<TemporaryDirectory> directory_ = std::make_unique<TemporaryDirectory>();
  const SystemClock clock_;
  std::unique_ptr<Spool> spool_;
  Model model_;
  std::int64_t made_ = 0;
};

rc::Gen<Step> any_step() {
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, rc::gen::weightedElement<int>({{8, Step::kCommit},
                                                               {5, Step::kSettle},
                                                               {3, Step::kDie},
                                                               {5, Step::kAhead},
                                                               {1, Step::kRelease},
                                                               {1, Step::kRemove},
                                                               {1, Step::kForget},
                                                               {1, Step::kRestart},
                                                               {1, Step::kKill}})),
      rc::gen::set(&Step::queue, rc::gen::inRange<int>(0, kQueues)),
      rc::gen::set(&Step::amount, rc::gen::inRange<int>(0, 30)),
      rc::gen::set(&Step::flavour, rc::gen::inRange<int>(0, 8)));
}

TEST(SpoolModel, AnyOrderOfStepsGivesWhatListsInMemoryGive) {
  const bool held = rc::check([] {
    const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
    Trial trial;
    for (const Step& step : steps) {
      trial.step(step);
      trial.compare();
    }
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace tributary::spool
