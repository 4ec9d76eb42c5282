// One life of the hub: the real manager, actors, limiter, subscriptions, log and store, in one
// thread. Each executor is a loop of its own, so that work of different executors mixes in any
// order, as on real threads.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "connect/manager.hpp"
#include "store/driven.hpp"
#include "tests/simulation/disk.hpp"
#include "tests/simulation/history_view.hpp"
#include "tests/simulation/network.hpp"

namespace tributary::simulation {

// What all worlds of a process share: made once, and the same for each.
struct Common {
  Common();
  ~Common();
  sdk::Registry registry;
  std::string directory;  // of the master key
  std::unique_ptr<secrets::Vault> vault;
  Image empty_store;  // freshly migrated
};

class Hub {
 public:
  // One for each connection that a world may create.
  static constexpr std::size_t kWorkers = 10;
  static constexpr const char* kDatabase = "/tributary.db";

  struct Parts {
    Common& common;
    Timeline& time;
    HubClock& clock;
    Random& chance;
    WireWitness& wire;
    const std::vector<std::unique_ptr<Peer>>& peers;
    std::shared_ptr<const connect::Seams> seams;
    int attempts_per_target = 2;
    // When the disk has done what it was asked for.
    std::function<Duration()> disk_time;
  };

  Hub(Parts parts, const Image& image, bool unclean);
  ~Hub();  // after die() or close()
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // Opens the store and loads the manager.
  Result<void> start();
  // Runs one handler of a loop that has one; false when none has.
  bool run_one();
  bool disk_idle() const { return steps_.empty(); }
  std::uint64_t handlers() const { return handlers_; }
  // Everything ends at once, without a word; the disk stays as it is.
  void die();
  // After a polite shutdown.
  void close();

  connect::Manager& manager() { return *manager_; }
  Executor control() { return loops_[0]->get_executor(); }
  Network& network() { return network_; }
  HubTimers& timers() { return timers_; }
  Disk& disk() { return disk_; }
  HistoryView& history() { return *history_; }
  // Called after each group of commits.
  void on_commit(std::function<void()> told) { told_ = std::move(told); }

 private:
  void plan_step(std::move_only_function<void()> step);
  void run_step(std::uint64_t number);
  bool run_out();
  void end();

  Parts parts_;
  Disk disk_;
  HubTimers timers_;
  Network network_;
  std::vector<std::unique_ptr<asio::io_context>> loops_;
  std::vector<asio::executor_work_guard<Executor>> guards_;
  std::optional<Runtime> runtime_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<HistoryView> history_;
  std::unique_ptr<connect::Manager> manager_;
  std::function<void()> told_;
  bool unclean_;
  std::map<std::uint64_t, std::move_only_function<void()>> steps_;  // of the disk, by number
  std::uint64_t last_step_ = 0;
  bool ending_ = false;
  std::uint64_t handlers_ = 0;
  std::shared_ptr<Hub*> alive_ = std::make_shared<Hub*>(this);
};

}  // namespace tributary::simulation
