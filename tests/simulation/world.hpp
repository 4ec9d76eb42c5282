// One run: a hub, its peers, the people who use it and the misfortunes that befall it, all from one
// seed.
#pragma once

#include "tests/simulation/hub.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/options.hpp"

namespace tributary::simulation {

struct Outcome {
  std::string violation;  // empty: none
  std::uint64_t hash = 0;
  std::uint64_t handlers = 0;
  Duration virtual_time{};
  std::deque<std::string> last;  // of the trace
};

class World {
 public:
  World(Common& common, Options options, std::shared_ptr<const connect::Seams> seams, bool aloud);
  ~World();

  Outcome run();

 protected:  // scripted worlds of tests do one thing after another
  using Manager = connect::Manager;
  template <typename T>
  using Reply = std::move_only_function<void(T)>;

  // ---- world.cpp: time and lives ----
  void act();
  void boot();
  void check_what_was_kept();
  void adopt_all();
  Subject* look_for(const std::string& id);
  void watch_news();
  void push(std::uint64_t life);
  bool advance();
  void step();
  void run_for(Duration time);
  bool run_until(Duration limit, const std::function<bool()>& done);
  void crash();
  void restart_politely();
  void commit_seen();
  void heal();
  void get_everything_going();
  bool all_connected();
  void wait_for_recovery();
  void wait_for_functions();
  void read_everywhere();
  Duration disk_time();
  std::uint64_t below(std::uint64_t bound) { return chance_.next() % bound; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

  // ---- operators.cpp: people ----
  void operate();
  void create();
  Json reconnect_of(const Patience& patience) const;
  void start(Subject& subject);
  void stop(Subject& subject);
  void restart(Subject& subject);
  void suspend(Subject& subject);
  void resume(Subject& subject, bool and_start);
  void begin_edit(Subject& subject);
  void edit(Subject& subject);
  void change_secret(Subject& subject);
  void remove(Subject& subject);
  void add_function(Subject& subject);
  void remove_function(Subject& subject);
  void edit_function(Subject& subject);
  void read(Subject& subject, std::function<void(const Result<Batch>&)> then = {});
  void write(Subject& subject);
  void look(Subject& subject);
  void watch(Subject& subject, const store::FunctionRow& function);
  struct Command;
  Command begin(Subject& subject, std::string_view what);
  void end(const Command& command, const Result<connect::ConnectionView>& result,
           std::string_view intent);
  // Runs a member of the manager on the control executor; `done` is called with its answer unless
  // this life of the hub is over by then.
  template <typename Make, typename Done>
  void ask(Make make, Done done);

  // ---- faults.cpp: misfortunes ----
  void misfortune();
  void change_weather();
  void trouble_the_disk();
  void plan_crash();
  void step_clock();
  void suspend_host();

  Common& common_;
  Options options_;
  std::shared_ptr<const connect::Seams> seams_;
  SeededRandom chance_;
  Timeline time_;
  HubClock clock_{time_};
  Trace trace_;
  Ledger ledger_;
  std::vector<std::unique_ptr<Peer>> peers_;
  Image image_;
  bool unclean_ = false;
  std::unique_ptr<Hub> hub_;
  connect::Registration news_;
  std::uint64_t life_ = 0;
  std::uint64_t handlers_ = 0;
  std::map<std::string, Patience> planned_;  // by name: connections that were asked for
  int created_ = 0;
  std::optional<int> handlers_to_crash_;
  bool crash_due_ = false;
  bool power_fails_ = false;
  bool disk_broken_ = false;
  bool disk_full_ = false;
  SteadyTime disk_stalls_until_;
};

}  // namespace tributary::simulation
