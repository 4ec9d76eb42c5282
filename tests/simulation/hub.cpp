#include "tests/simulation/hub.hpp"

#include <malloc.h>

#include <filesystem>
#include <stdexcept>

#include "connect/credentials.hpp"
#include "tests/simulation/connector.hpp"

namespace tributary::simulation {

namespace {

// A dead hub that has fired this many timers goes on for ever unless it is told again to stop.
constexpr int kLastTimers = 300;
constexpr int kLastTries = 10;
constexpr std::chrono::seconds kLastWords{1};

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

void must(Result<void> result) {
  if (!result) throw std::runtime_error(result.error().message);
}

Image migrated() {
  SeededRandom chance(1);
  const Timeline time;
  const HubClock clock(time);
  Disk disk({}, chance);
  auto store = must(store::Store::open_driven(
      {disk.uri(Hub::kDatabase), false, [](store::Worker, std::move_only_function<void()>) {}},
      clock));
  store.reset();
  return disk.after_kill();
}

// The process's key of fingerprints is drawn now rather than from the seed of the first world that
// needs it: a world must not depend on the ones before.
void draw_process_key(const sdk::Registry& registry) {
  connect::ConnectionConfig config;
  config.type = registry.find("simulated");
  sdk::Profile profile;
  profile.secrets.emplace_back("password", Secret("any"));
  connect::CredentialVersions().note(config, profile);
}

// Disks come and go by the thousand: their memory stays with the process.
void keep_memory() {
  constexpr int kAlways = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kAlways);
  mallopt(M_TRIM_THRESHOLD, kAlways);
}

}  // namespace

Common::Common() {
  keep_memory();
  directory = (std::filesystem::temp_directory_path() / "simulation_XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) throw std::runtime_error("no temporary directory");
  vault = must(secrets::Vault::open(directory, true));
  must(add_simulated(registry));
  draw_process_key(registry);
  empty_store = migrated();
}

Common::~Common() {
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

Hub::Hub(Parts parts, const Image& image, bool unclean)
    : parts_(std::move(parts)),
      disk_(image, parts_.chance),
      timers_(parts_.time),
      network_(parts_.time, timers_, parts_.chance, parts_.wire),
      unclean_(unclean) {
  for (std::size_t i = 0; i <= kWorkers; ++i) {
    loops_.push_back(std::make_unique<asio::io_context>(1));
    guards_.push_back(asio::make_work_guard(*loops_.back()));
  }
  for (const auto& peer : parts_.peers) network_.add(*peer);
}

Hub::~Hub() = default;

void Hub::plan_step(std::move_only_function<void()> step) {
  const std::uint64_t number = ++last_step_;
  steps_.emplace(number, std::move(step));
  if (ending_) {
    asio::post(control(), [this, number] { run_step(number); });
    return;
  }
  parts_.time.after(parts_.disk_time(), [alive = std::weak_ptr(alive_), number] {
    if (const auto hub = alive.lock()) (*hub)->run_step(number);
  });
}

void Hub::run_step(std::uint64_t number) {
  const auto found = steps_.find(number);
  if (found == steps_.end()) return;
  auto step = std::move(found->second);
  steps_.erase(found);
  step();
  if (told_ && !ending_) told_();
}

Result<void> Hub::start() {
  auto opened = store::Store::open_driven(
      {disk_.uri(kDatabase), unclean_,
       [this](store::Worker, std::move_only_function<void()> step) { plan_step(std::move(step)); }},
      parts_.clock);
  TRIBUTARY_TRY(opened);
  store_ = *std::move(opened);
  history_ = std::make_unique<HistoryView>(disk_.uri(kDatabase));
  std::vector<Executor> workers;
  for (std::size_t i = 1; i < loops_.size(); ++i) workers.push_back(loops_[i]->get_executor());
  runtime_.emplace(control(), std::move(workers), parts_.clock, timers_);
  connect::ManagerOptions options;
  options.attempts_per_target = parts_.attempts_per_target;
  options.seams = parts_.seams;
  manager_ = std::make_unique<connect::Manager>(*runtime_, network_, *store_, *parts_.common.vault,
                                                parts_.common.registry, options);
  return {};
}

bool Hub::run_one() {
  const std::size_t first = parts_.chance.next() % loops_.size();
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    if (loops_[(first + i) % loops_.size()]->poll_one() > 0) {
      ++handlers_;
      return true;
    }
  }
  return false;
}

// What still hangs somewhere gets its end, so that nothing is left over. False: something goes on.
bool Hub::run_out() {
  for (int timers = 0; timers < kLastTimers;) {
    if (run_one()) continue;
    if (!timers_.fire_past_the_end()) return true;
    ++timers;
  }
  return false;
}

// Work that is under way refers to the manager and the store: it gets its end before they go.
void Hub::end() {
  ending_ = true;
  history_.reset();
  network_.die();
  for (const auto& [number, step] : steps_) {
    asio::post(control(), [this, number = number] { run_step(number); });
  }
  // A command that was under way may have started something again.
  bool over = !manager_;
  for (int i = 0; i < kLastTries && !over; ++i) {
    spawn(control(), manager_->shutdown(kLastWords));
    over = run_out();
  }
  manager_.reset();
  store_.reset();
  if (!over || !run_out()) throw std::logic_error("a dead hub does not come to rest");
  alive_.reset();
}

void Hub::die() {
  disk_.cut_power();
  end();
}

void Hub::close() {
  end();
}

}  // namespace tributary::simulation
