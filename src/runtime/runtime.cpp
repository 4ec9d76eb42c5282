#include "runtime/runtime.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <atomic>
#include <thread>

namespace tributary {
namespace {

// One io_context and the thread that runs it. The concurrency hint 1 tells Asio that no other
// thread runs it.
class Loop {
 public:
  explicit Loop(const std::string& name) : context_(1), guard_(asio::make_work_guard(context_)) {
    thread_ = std::thread([this] { context_.run(); });
    pthread_setname_np(thread_.native_handle(), name.c_str());
  }
  Executor executor() { return context_.get_executor(); }
  void stop() {
    guard_.reset();
    context_.stop();
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  asio::io_context context_;
  asio::executor_work_guard<Executor> guard_;
  std::thread thread_;
};

}  // namespace

struct Runtime::Impl {
  std::vector<std::unique_ptr<Loop>> loops;  // none when somebody else runs them
  std::optional<Executor> control;
  std::vector<Executor> workers;
  std::atomic<std::size_t> next{0};

  Executor add_loop(const std::string& name) {
    return loops.emplace_back(std::make_unique<Loop>(name))->executor();
  }
};

Runtime::Runtime(std::size_t workers, Clock& clock, Timers& timers)
    : clock_(clock), timers_(timers), impl_(std::make_unique<Impl>()) {
  impl_->control = impl_->add_loop("control");
  for (std::size_t i = 0; i < std::max<std::size_t>(workers, 1); ++i) {
    impl_->workers.push_back(impl_->add_loop(fmt::format("worker-{}", i)));
  }
}

Runtime::Runtime(Executor control, std::vector<Executor> workers, Clock& clock, Timers& timers)
    : clock_(clock), timers_(timers), impl_(std::make_unique<Impl>()) {
  impl_->control = control;
  impl_->workers = std::move(workers);
}

Runtime::~Runtime() {
  stop();
}

Executor Runtime::control() {
  return *impl_->control;
}

Executor Runtime::worker(std::size_t index) {
  return impl_->workers[index % impl_->workers.size()];
}

Executor Runtime::next_worker() {
  return worker(impl_->next.fetch_add(1, std::memory_order_relaxed));
}

std::size_t Runtime::workers() const {
  return impl_->workers.size();
}

// All loops are stopped before any context is destroyed: tasks that still hang in one may refer to
// another.
void Runtime::stop() {
  for (auto& loop : impl_->loops) loop->stop();
  for (auto& loop : impl_->loops) loop->join();
}

}  // namespace tributary
