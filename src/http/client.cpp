#include "http/client.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace tributary::http {
namespace {

using Done = std::move_only_function<void(Result<Answer>)>;

// Connections at once; requests beyond it wait inside curl.
constexpr long kMaxConnections = 64;
constexpr int kLongestPollMs = 60'000;  // woken for everything that happens before

Error cancelled_error() {
  return Error(ErrorClass::kCancelled, "cancelled", "Ended by the hub.");
}

struct SlistDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Slist = std::unique_ptr<curl_slist, SlistDelete>;

void append(Slist& list, const std::string& text) {
  list.reset(curl_slist_append(list.release(), text.c_str()));
}

// One request on its way: everything that curl looks at lives here until it is over.
struct Transfer {
  Request request;
  Target target;
  std::vector<std::string> addresses;  // checked; others are not connected to
  SteadyTime deadline;
  Done done;

  CURL* easy = nullptr;
  Slist headers;
  Slist resolve;
  std::string url;
  Answer answer;
  bool too_large = false;

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (easy != nullptr) curl_easy_cleanup(easy);
  }
};

std::size_t take_body(const char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.answer.body.size() + size > kMaxAnswer) {
    transfer.too_large = true;
    return 0;
  }
  transfer.answer.body.append(data, size);
  return size;
}

std::string text_of(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text,
                sizeof text);
  } else if (address.sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text,
                sizeof text);
  }
  return text;
}

// "2001:DB8:0::1" → "2001:db8::1".
std::string canonical(const std::string& ip) {
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET6, ip.c_str(), &six.sin6_addr) != 1) return ip;
  return text_of(reinterpret_cast<const sockaddr&>(six));
}

// The last word: whatever curl thinks it should connect to, a socket is made for checked addresses
// only.
curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  const auto& transfer = *static_cast<const Transfer*>(user);
  const std::string ip = text_of(address->addr);
  if (std::ranges::find(transfer.addresses, ip) == transfer.addresses.end()) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Result<void> prepare(Transfer& transfer, SteadyTime now) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(transfer.deadline - now);
  CURL* easy = curl_easy_init();
  if (easy == nullptr)
    return fail(ErrorClass::kInternal, "out_of_memory", "No memory for an HTTP request.");
  transfer.easy = easy;
  transfer.url = transfer.target.url();
  const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, transfer.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");  // also against http_proxy in the environment
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, left.count())));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, left.count())));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  // Each request has its own connection: one that was kept might lead to an address that would not
  // pass the check any more.
  set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_USERAGENT, "Tributary");
  set(CURLOPT_CUSTOMREQUEST, transfer.request.method.c_str());
  if (transfer.request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  if (!transfer.request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer.request.body.size()));
    set(CURLOPT_POSTFIELDS, transfer.request.body.c_str());
  }
  for (const auto& [name, value] : transfer.request.headers) {
    append(transfer.headers, value.empty() ? name + ";" : name + ": " + value);
  }
  append(transfer.headers, "Expect:");  // no pause in front of the body
  set(CURLOPT_HTTPHEADER, transfer.headers.get());
  if (!transfer.target.is_address) {
    append(transfer.resolve, fmt::format("{}:{}:{}", transfer.target.host, transfer.target.port,
                                         fmt::join(transfer.addresses, ",")));
    set(CURLOPT_RESOLVE, transfer.resolve.get());
  }
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_OPENSOCKETDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, &transfer);
  return {};
}

std::string peer_of(const Transfer& transfer) {
  return fmt::format("{}:{}", transfer.target.host, transfer.target.port);
}

// What curl's result means for who asked.
Error error_of(const Transfer& transfer, CURLcode code) {
  const std::string peer = peer_of(transfer);
  long os_error = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_OS_ERRNO, &os_error);
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      if (os_error == ECONNREFUSED) {
        return Error(ErrorClass::kTransient, "connection_refused",
                     fmt::format("{} refused the connection.", peer),
                     "Is the receiver running, and is the port right?");
      }
      return Error(ErrorClass::kTransient, "unreachable",
                   fmt::format("{} cannot be reached.", peer),
                   "Check the network between the hub and the receiver.");
    case CURLE_OPERATION_TIMEDOUT:
      return Error(ErrorClass::kTransient, "timeout",
                   fmt::format("{} did not answer in time.", peer),
                   "Is the receiver overloaded, or is a firewall dropping the packets?");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return Error(ErrorClass::kTrust, "certificate_not_trusted",
                   fmt::format("The certificate of {} is not trusted.", peer),
                   "Add its authority to the certificates of this machine, or correct the host "
                   "name.");
    case CURLE_SSL_CONNECT_ERROR:
      return Error(ErrorClass::kTransient, "tls_failed",
                   fmt::format("{} did not complete the TLS handshake.", peer),
                   "Does it speak https on this port?");
    case CURLE_WRITE_ERROR:
      return Error(ErrorClass::kFunction, "answer_too_large",
                   fmt::format("The answer of {} is longer than {} KiB.", peer, kMaxAnswer / 1024),
                   "The receiver should answer with a short text or nothing.");
    default:
      return Error(ErrorClass::kTransient, "connection_closed",
                   fmt::format("{} ended the exchange: {}.", peer, curl_easy_strerror(code)),
                   "Does it speak HTTP on this port?");
  }
}

Result<Answer> result_of(Transfer& transfer, CURLcode code) {
  if (code != CURLE_OK) {
    Error error = error_of(transfer, code);
    long sent = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_REQUEST_SIZE, &sent);
    const bool reads_only = transfer.request.method == "GET" || transfer.request.method == "HEAD";
    error.outcome_unknown = sent > 0 && !reads_only;
    return fail(std::move(error));
  }
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  curl_off_t micros = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_TOTAL_TIME_T, &micros);
  curl_off_t retry_after = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RETRY_AFTER, &retry_after);
  transfer.answer.status = static_cast<int>(status);
  transfer.answer.duration = std::chrono::microseconds(micros);
  if (retry_after > 0) transfer.answer.retry_after_ms = retry_after * 1000;
  return std::move(transfer.answer);
}

}  // namespace

// The thread and what is on its way.
class Client::Loop {
 public:
  explicit Loop(Clock& clock) : clock_(clock) {
    static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(kReady);
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, kMaxConnections);
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "http");
  }
  ~Loop() {
    stop();
    curl_multi_cleanup(multi_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Ends everything that is under way; whoever waits is answered. Idempotent.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    if (thread_.joinable()) thread_.join();
  }

  void submit(std::unique_ptr<Transfer> transfer) {
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
        waiting_.push_back(std::move(transfer));
      }
    }
    if (refusal) {
      transfer->done(fail(std::move(*refusal)));
      return;
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void run() {
    while (admit()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      reap();
      curl_multi_poll(multi_, nullptr, 0, kLongestPollMs, nullptr);
    }
    while (!active_.empty()) finish(active_.begin()->first, std::nullopt);
    for (auto& transfer : waiting_) transfer->done(fail(cancelled_error()));
    waiting_.clear();
  }

  // Takes what was submitted; false when the end has come.
  bool admit() {
    std::deque<std::unique_ptr<Transfer>> fresh;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
      fresh.swap(waiting_);
    }
    for (auto& transfer : fresh) {
      auto ready = prepare(*transfer, clock_.steady_now());
      if (!ready) {
        release();
        transfer->done(fail(std::move(ready.error())));
        continue;
      }
      CURL* easy = transfer->easy;
      active_.emplace(easy, std::move(transfer));
      curl_multi_add_handle(multi_, easy);
    }
    return true;
  }

  void reap() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      finish(message->easy_handle, code);
    }
  }

  // `code` absent: it is ended by us.
  void finish(CURL* easy, std::optional<CURLcode> code) {
    auto node = active_.extract(easy);
    curl_multi_remove_handle(multi_, easy);
    Transfer& transfer = *node.mapped();
    Result<Answer> result =
        code ? result_of(transfer, *code) : Result<Answer>(fail(cancelled_error()));
    Done done = std::move(transfer.done);
    node.mapped().reset();
    release();
    done(std::move(result));
  }
  void release() {
    const std::lock_guard lock(mutex_);
    --count_;
  }

  Clock& clock_;
  CURLM* multi_ = nullptr;
  std::map<CURL*, std::unique_ptr<Transfer>> active_;  // of the thread
  std::mutex mutex_;
  std::deque<std::unique_ptr<Transfer>> waiting_;
  std::size_t count_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

Client::Client(Clock& clock, net::Network& network, EgressGuard guard)
    : clock_(clock),
      network_(network),
      guard_(std::move(guard)),
      loop_(std::make_shared<Loop>(clock)) {}

// Coroutines that wait for an answer hold the loop, too: its end must not depend on them.
Client::~Client() {
  loop_->stop();
}

const EgressGuard& Client::guard() const {
  return guard_;
}

Task<Result<Answer>> Client::send(Request request, SteadyTime deadline) {
  auto target = guard_.check_url(request.url);
  TRIBUTARY_CO_TRY(target);
  const net::Endpoint endpoint{target->host, target->port};
  auto addresses = co_await network_.resolve(endpoint, deadline);
  if (!addresses) {
    addresses.error().pointer = "/url";
    co_return fail(std::move(addresses.error()));
  }
  auto transfer = std::make_unique<Transfer>();
  for (const net::Address& address : *addresses) {
    TRIBUTARY_CO_TRY(guard_.check_address(*target, address.ip));
    transfer->addresses.push_back(canonical(address.ip));
  }
  transfer->request = std::move(request);
  transfer->target = std::move(*target);
  transfer->deadline = deadline;
  const Executor executor = co_await asio::this_coro::executor;
  auto loop = loop_;
  auto start = [executor, loop](auto handler, std::unique_ptr<Transfer> ready) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    ready->done = [executor, shared](Result<Answer> result) {
      asio::post(executor,
                 [shared, result = std::move(result)]() mutable { (*shared)(std::move(result)); });
    };
    loop->submit(std::move(ready));
  };
  co_return co_await asio::async_initiate<decltype(use_task), void(Result<Answer>)>(
      std::move(start), use_task, std::move(transfer));
}

Result<void> check_status(const Answer& answer) {
  const int status = answer.status;
  if (status >= 200 && status < 300) return {};
  const std::string said = fmt::format("The receiver answered with status {}.", status);
  if (status >= 300 && status < 400) {
    return fail(ErrorClass::kConfiguration, "redirect_not_followed", said,
                "Redirects are not followed: enter the final address.", "/url");
  }
  if (status == 401 || status == 403 || status == 407) {
    return fail(ErrorClass::kIdentity, "not_authorized", said,
                "Check the secrets that the receiver expects.");
  }
  if (status == 429 || status == 503) {
    Error error(ErrorClass::kBusy, "receiver_busy", said, "It is tried again later.");
    error.retry_after_ms = answer.retry_after_ms;
    return fail(std::move(error));
  }
  if (status == 408 || status >= 500) {
    return fail(ErrorClass::kTransient, "receiver_failed", said,
                "Its own log should say why; it is tried again.");
  }
  return fail(ErrorClass::kConfiguration, "receiver_refused", said,
              "Does the address belong to a receiver of notices?", "/url");
}

}  // namespace tributary::http
