#include "net/resolver.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "net/options.hpp"
#include "runtime/event.hpp"

namespace tributary::net {
namespace {

constexpr std::size_t kMaxThreads = 8;
constexpr std::chrono::seconds kIdleTime{10};
constexpr std::size_t kMaxAddresses = 16;
constexpr std::string_view kPointer = "/settings/host";

std::string text_of(const sockaddr& address) {
  std::array<char, NI_MAXHOST> text{};
  const socklen_t size = address.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (::getnameinfo(&address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return {};
  }
  return text.data();
}

Error lookup_error(int code, int error_number, const std::string& host) {
  const std::string reason = ::gai_strerror(code);
  if (code == EAI_SYSTEM && (error_number == EMFILE || error_number == ENFILE)) {
    return error_from_errno(error_number, "look up", host);
  }
  if (code == EAI_MEMORY) return error_from_errno(ENOMEM, "look up", host);
  if (code == EAI_AGAIN || code == EAI_FAIL || code == EAI_SYSTEM) {
    return {
        ErrorClass::kTransient, "name_server_failed",
        fmt::format("The name server gave no answer about {}: {}", host, reason),
        "Is the hub's name server reachable? An IP address instead of the name works without it.",
        std::string(kPointer)};
  }
  return {ErrorClass::kName, "no_such_host", fmt::format("There is no host named {}", host),
          "Is the name spelt right, and does the hub's name server know it?",
          std::string(kPointer)};
}

// Takes turns between the families, starting with the one the system prefers, so that a family
// without a route costs one staggering interval and not one for each of its addresses.
std::vector<std::string> interleave(std::vector<std::string> addresses) {
  const auto is_v6 = [](const std::string& text) { return text.find(':') != std::string::npos; };
  if (addresses.empty()) return addresses;
  const bool first_v6 = is_v6(addresses.front());
  std::deque<std::string> preferred;
  std::deque<std::string> other;
  for (auto& address : addresses) {
    (is_v6(address) == first_v6 ? preferred : other).push_back(std::move(address));
  }
  std::vector<std::string> order;
  while (!preferred.empty() || !other.empty()) {
    for (auto* family : {&preferred, &other}) {
      if (family->empty()) continue;
      order.push_back(std::move(family->front()));
      family->pop_front();
    }
  }
  if (order.size() > kMaxAddresses) order.resize(kMaxAddresses);
  return order;
}

using Answer = Result<std::vector<std::string>>;

// One question, shared by the coroutine that waits and the thread that asks.
class Request {
 public:
  Request(std::string host, Executor executor)
      : host_(std::move(host)), executor_(executor), done_(std::make_shared<Event>(executor)) {}

  const std::string& host() const { return host_; }
  const std::shared_ptr<Event>& done() const { return done_; }
  std::optional<Answer>& answer() { return answer_; }

  bool wanted() {
    const std::lock_guard lock(mutex_);
    return wanted_;
  }
  // After this returned the executor is not touched any more.
  void abandon() {
    const std::lock_guard lock(mutex_);
    wanted_ = false;
  }
  // From the asking thread. The lock is held while posting, so that the waiter, and with it the
  // executor, still exists.
  static void finish(const std::shared_ptr<Request>& self, Answer answer) {
    const std::lock_guard lock(self->mutex_);
    if (!self->wanted_) return;
    asio::post(self->executor_, [self, answer = std::move(answer)]() mutable {
      self->answer_ = std::move(answer);
      self->done_->set();
    });
  }

 private:
  const std::string host_;
  Executor executor_;
  std::shared_ptr<Event> done_;   // waiter's executor only
  std::optional<Answer> answer_;  // waiter's executor only
  std::mutex mutex_;
  bool wanted_ = true;
};

// Abandons the request whichever way the waiter ends, its destruction included.
struct Abandon {
  std::shared_ptr<Request> request;
  ~Abandon() { request->abandon(); }
};

Error timed_out(const std::string& host) {
  return {ErrorClass::kTransient, "timeout",
          fmt::format("The look-up of the name {} got no answer in time", host),
          "Is the hub's name server reachable? An IP address instead of the name works without it.",
          std::string(kPointer)};
}

}  // namespace

Result<std::vector<std::string>> lookup_host(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) return fail(lookup_error(code, errno, host));
  std::vector<std::string> addresses;
  for (const addrinfo* item = found; item != nullptr; item = item->ai_next) {
    std::string text = text_of(*item->ai_addr);
    if (!text.empty() && std::ranges::find(addresses, text) == addresses.end()) {
      addresses.push_back(std::move(text));
    }
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return fail(lookup_error(EAI_NONAME, 0, host));
  return interleave(std::move(addresses));
}

class Resolver::Pool {
 public:
  explicit Pool(Lookup lookup) : lookup_(std::move(lookup)) {}

  static void submit(const std::shared_ptr<Pool>& self, std::shared_ptr<Request> request) {
    const std::lock_guard lock(self->mutex_);
    self->queue_.push_back(std::move(request));
    if (self->idle_ >= self->queue_.size() || self->threads_ >= kMaxThreads) {
      self->wake_.notify_one();
      return;
    }
    ++self->threads_;
    // Detached: a look-up may hang for as long as the operating system likes. The thread owns all
    // it touches.
    std::thread([self] {
      pthread_setname_np(pthread_self(), "resolver");
      self->work();
    }).detach();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    queue_.clear();
    wake_.notify_all();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      ++idle_;
      const bool woken =
          wake_.wait_for(lock, kIdleTime, [this] { return stopped_ || !queue_.empty(); });
      --idle_;
      if (!woken || stopped_) break;
      const std::shared_ptr<Request> request = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      if (request->wanted()) Request::finish(request, lookup_(request->host()));
      lock.lock();
    }
    --threads_;
  }

  const Lookup lookup_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Request>> queue_;  // bounded by the dials under way
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  bool stopped_ = false;
};

Resolver::Resolver(Timers& timers, Lookup lookup)
    : timers_(timers), pool_(std::make_shared<Pool>(std::move(lookup))) {}

Resolver::~Resolver() {
  pool_->stop();
}

Task<Result<std::vector<Address>>> Resolver::resolve(Endpoint endpoint, SteadyTime deadline,
                                                     std::shared_ptr<DialCancel> cancel) {
  std::string host = endpoint.host;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code not_literal;
  const auto literal = asio::ip::make_address(host, not_literal);
  if (!not_literal) co_return std::vector<Address>{{literal.to_string(), endpoint.port}};
  if (host.empty() || host.find('\0') != std::string::npos) {
    co_return fail(lookup_error(EAI_NONAME, 0, host));
  }

  const Executor executor = co_await asio::this_coro::executor;
  const auto request = std::make_shared<Request>(host, executor);
  const Abandon abandon{request};
  const auto done = request->done();
  std::shared_ptr<void> guard;
  if (cancel) guard = cancel->on_cancel([done] { done->set(); });
  if (!cancel || !cancel->cancelled()) {
    Pool::submit(pool_, request);
    co_await done->wait_until(timers_, deadline);
  }
  if (cancel && cancel->cancelled()) {
    co_return fail(ErrorClass::kCancelled, "cancelled", "The look-up was ended by the hub");
  }
  if (!request->answer()) co_return fail(timed_out(host));
  Answer& answer = *request->answer();
  if (!answer) co_return fail(std::move(answer.error()));
  std::vector<Address> addresses;
  for (auto& ip : *answer) addresses.push_back({std::move(ip), endpoint.port});
  co_return addresses;
}

}  // namespace tributary::net
