#include "http/loop.hpp"

#include <curl/curl.h>
#include <pthread.h>

#include <vector>

namespace tributary::http {
namespace {

// Connections at once; requests beyond it wait inside curl.
constexpr long kMaxConnections = 64;
constexpr int kLongestPollMs = 60'000;  // woken for everything that happens before

}  // namespace

Error cancelled_error() {
  return Error(ErrorClass::kCancelled, "cancelled", "Ended by the hub.");
}

Loop::Loop(Clock& clock) : clock_(clock) {
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(kReady);
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, kMaxConnections);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "http");
}

Loop::~Loop() {
  stop();
  curl_multi_cleanup(multi_);
}

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  curl_multi_wakeup(multi_);
  if (thread_.joinable()) thread_.join();
}

std::uint64_t Loop::new_channel() {
  const std::lock_guard lock(mutex_);
  return ++channels_;
}

void Loop::submit(std::unique_ptr<Transfer> transfer) {
  std::optional<Error> refusal;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      refusal = cancelled_error();
    } else if (count_ >= kMaxRequests) {
      refusal = Error(ErrorClass::kBusy, "too_many_requests",
                      "The hub has too many HTTP requests under way.", "It tries again.");
    } else {
      ++count_;
      orders_.emplace_back(std::move(transfer));
    }
  }
  if (refusal) {
    transfer->done(fail(std::move(*refusal)));
    return;
  }
  curl_multi_wakeup(multi_);
}

void Loop::end_channel(std::uint64_t channel) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    orders_.emplace_back(EndOfChannel{channel});
  }
  curl_multi_wakeup(multi_);
}

void Loop::run() {
  while (admit()) {
    int running = 0;
    curl_multi_perform(multi_, &running);
    reap();
    curl_multi_poll(multi_, nullptr, 0, kLongestPollMs, nullptr);
  }
  while (!active_.empty()) finish(active_.begin()->first, std::nullopt);
  pools_.clear();
  std::deque<Order> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(orders_);
  }
  for (Order& order : left) {
    if (auto* transfer = std::get_if<std::unique_ptr<Transfer>>(&order))
      (*transfer)->done(fail(cancelled_error()));
  }
}

// Takes what was ordered; false when the end has come.
bool Loop::admit() {
  std::deque<Order> fresh;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    fresh.swap(orders_);
  }
  for (Order& order : fresh) {
    if (auto* transfer = std::get_if<std::unique_ptr<Transfer>>(&order)) {
      begin(std::move(*transfer));
    } else {
      end(std::get<EndOfChannel>(order).channel);
    }
  }
  return true;
}

void Loop::begin(std::unique_ptr<Transfer> transfer) {
  if (transfer->channel != 0) {
    auto& pool = pools_[transfer->channel];
    if (!pool) pool = std::make_unique<Pool>();
    transfer->pool = pool.get();
  }
  auto ready = prepare(*transfer, clock_.steady_now());
  if (!ready) {
    release();
    transfer->done(fail(std::move(ready.error())));
    return;
  }
  void* easy = transfer->easy;
  active_.emplace(easy, std::move(transfer));
  curl_multi_add_handle(multi_, easy);
}

void Loop::end(std::uint64_t channel) {
  std::vector<void*> ending;
  for (const auto& [easy, transfer] : active_) {
    if (transfer->channel == channel) ending.push_back(easy);
  }
  for (void* easy : ending) finish(easy, std::nullopt);
  pools_.erase(channel);
}

void Loop::reap() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const int code = message->data.result;
    finish(message->easy_handle, code);
  }
}

// `code` absent: it is ended by us.
void Loop::finish(void* easy, std::optional<int> code) {
  auto node = active_.extract(easy);
  curl_multi_remove_handle(multi_, easy);
  Transfer& transfer = *node.mapped();
  Result<Answer> result =
      code ? result_of(transfer, *code) : Result<Answer>(fail(cancelled_error()));
  auto done = std::move(transfer.done);
  node.mapped().reset();
  release();
  done(std::move(result));
}

void Loop::release() {
  const std::lock_guard lock(mutex_);
  --count_;
}

}  // namespace tributary::http
