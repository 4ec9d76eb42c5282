#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "runtime/event.hpp"
#include "runtime/lane.hpp"
#include "runtime/manual_timers.hpp"
#include "runtime/runtime.hpp"

namespace tributary {
namespace {

using namespace std::chrono_literals;

// Virtual time and one io_context, driven by the test.
class Virtual : public testing::Test {
 protected:
  asio::io_context context_;
  ManualClock clock_;
  ManualTimers timers_{clock_, context_};
  Executor executor_ = context_.get_executor();
};

TEST_F(Virtual, TimersFireInOrderAndAtTheirTime) {
  std::vector<int> fired;
  auto start = clock_.steady_now();
  auto late = timers_.at(executor_, start + 20ms, [&] { fired.push_back(2); });
  auto early = timers_.at(executor_, start + 10ms, [&] {
    fired.push_back(1);
    EXPECT_EQ(clock_.steady_now(), start + 10ms);
  });
  timers_.advance(9ms);
  EXPECT_TRUE(fired.empty());
  timers_.advance(20ms);
  EXPECT_EQ(fired, (std::vector{1, 2}));
  EXPECT_EQ(timers_.armed(), 0u);
}

TEST_F(Virtual, ADroppedTimerNeverFires) {
  bool fired = false;
  auto timer = timers_.at(executor_, clock_.steady_now() + 1ms, [&] { fired = true; });
  timer.reset();
  timers_.advance(10ms);
  EXPECT_FALSE(fired);
}

TEST_F(Virtual, SleepReturnsWhenItIsTime) {
  bool done = false;
  spawn(executor_, [](Timers& timers, bool& flag) -> Task<void> {
    co_await sleep_until(timers, timers.now() + 1s);
    flag = true;
  }(timers_, done));
  timers_.advance(999ms);
  EXPECT_FALSE(done);
  timers_.advance(1ms);
  EXPECT_TRUE(done);
}

TEST_F(Virtual, AnEventWakesEveryWaiterOnce) {
  Event event(executor_);
  int woken = 0;
  for (int i = 0; i < 3; ++i) {
    spawn(executor_, [](Event& waited, int& count) -> Task<void> {
      co_await waited.wait();
      ++count;
    }(event, woken));
  }
  timers_.settle();
  EXPECT_EQ(woken, 0);
  event.set();
  EXPECT_EQ(woken, 0) << "set() must not run waiters inside itself";
  timers_.settle();
  EXPECT_EQ(woken, 3);
}

TEST_F(Virtual, WaitUntilTellsWhoWasFirst) {
  Event early(executor_), late(executor_);
  std::optional<bool> in_time, too_late;
  auto wait = [](Event& event, Timers& timers, std::optional<bool>& answer) -> Task<void> {
    answer = co_await event.wait_until(timers, timers.now() + 100ms);
  };
  spawn(executor_, wait(early, timers_, in_time));
  spawn(executor_, wait(late, timers_, too_late));
  timers_.advance(50ms);
  early.set();
  timers_.advance(100ms);
  EXPECT_EQ(in_time, true);
  EXPECT_EQ(too_late, false);
  EXPECT_EQ(timers_.armed(), 0u);
}

TEST_F(Virtual, AQueueHoldsItsBoundAndKeepsOrder) {
  BoundedQueue<int> queue(executor_, 2);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_FALSE(queue.try_push(3));
  std::vector<int> taken;
  spawn(executor_, [](BoundedQueue<int>& source, std::vector<int>& into) -> Task<void> {
    while (auto item = co_await source.pop()) into.push_back(*item);
  }(queue, taken));
  spawn(executor_, [](BoundedQueue<int>& target) -> Task<void> {
    for (int i = 3; i < 10; ++i) co_await target.push(i);
    target.close();
  }(queue));
  timers_.settle();
  EXPECT_EQ(taken, (std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(SystemTimers, FireOnTheExecutorAndCanBeDroppedFromTheirOwnCallback) {
  SystemClock clock;
  auto timers = make_system_timers();
  asio::io_context context;
  std::unique_ptr<Timer> self;
  int fired = 0;
  self = timers->at(context.get_executor(), clock.steady_now() + 1ms, [&] {
    ++fired;
    self.reset();
  });
  auto dropped = timers->at(context.get_executor(), clock.steady_now(), [&] { fired += 100; });
  dropped.reset();
  context.run();
  EXPECT_EQ(fired, 1);
}

TEST(Runtime, RunsTasksOnTheExecutorAskedForAndComesBack) {
  SystemClock clock;
  auto timers = make_system_timers();
  Runtime runtime(2, clock, *timers);
  std::promise<std::array<std::thread::id, 3>> promise;
  auto work = [](Runtime& rt, std::promise<std::array<std::thread::id, 3>>& out) -> Task<void> {
    std::array<std::thread::id, 3> seen;
    seen[0] = std::this_thread::get_id();
    seen[1] = co_await run_on(
        rt.worker(1), []() -> Task<std::thread::id> { co_return std::this_thread::get_id(); });
    seen[2] = std::this_thread::get_id();
    out.set_value(seen);
  };
  spawn(runtime.control(), work(runtime, promise));
  auto future = promise.get_future();
  ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
  auto seen = future.get();
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_EQ(seen[0], seen[2]);
}

TEST(Lane, RunsOneJobAtATimeAndAnswersOnTheCallersThread) {
  SystemClock clock;
  auto timers = make_system_timers();
  Runtime runtime(1, clock, *timers);
  Lane lane("test", 8);
  std::promise<std::pair<int, bool>> promise;
  auto work = [](Lane& worker, std::promise<std::pair<int, bool>>& out) -> Task<void> {
    auto here = std::this_thread::get_id();
    std::move_only_function<Result<int>()> job = [here]() -> Result<int> {
      return std::this_thread::get_id() == here ? -1 : 7;
    };
    auto result = co_await worker.run(std::move(job));
    out.set_value({result.value_or(-2), std::this_thread::get_id() == here});
  };
  spawn(runtime.control(), work(lane, promise));
  auto future = promise.get_future();
  ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(future.get(), (std::pair{7, true}));
}

TEST(Lane, RefusesBeyondItsBoundAndDropsTheRestWhenItGoes) {
  std::promise<void> hold;
  std::promise<void> started;
  std::vector<bool> ran;
  {
    Lane lane("test", 1);
    ASSERT_TRUE(lane.post([&](bool) {
      started.set_value();
      hold.get_future().wait();
    }));
    started.get_future().wait();
    EXPECT_TRUE(lane.post([&](bool run) { ran.push_back(run); }));
    EXPECT_FALSE(lane.post([&](bool run) { ran.push_back(run); }))
        << "one waiting job is the bound";
    std::thread closer([&] { hold.set_value(); });
    closer.join();
    while (lane.waiting() > 0) std::this_thread::yield();
  }
  EXPECT_EQ(ran.size(), 1u);
}

}  // namespace
}  // namespace tributary
