#include "http/channel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/loop.hpp"
#include "http/submit.hpp"

namespace tributary::http {

// Shared with the coroutines that wait: they may resume when the channel is gone.
class Channel::Core {
 public:
  Core(std::shared_ptr<Loop> loop, std::shared_ptr<const EgressGuard> guard,
       net::Network& network_of, ChannelOptions options)
      : loop_(std::move(loop)),
        guard_(std::move(guard)),
        network_(network_of),
        options_(std::make_shared<const ChannelOptions>(std::move(options))),
        id_(loop_->new_channel()) {}

  static Task<Result<Answer>> send(std::shared_ptr<Core> self, Request request, SteadyTime deadline,
                                   Watcher watcher);
  static Task<Result<Answer>> send_mail(std::shared_ptr<Core> self, Mail mail, SteadyTime deadline,
                                        Watcher watcher);
  void abort() noexcept {
    if (std::exchange(closed_, true)) return;
    resolving_->cancel();
    loop_->end_channel(id_);
  }
  bool is_over() const { return closed_; }

 private:
  static Task<Result<Answer>> transmit(std::shared_ptr<Core> self,
                                       std::unique_ptr<Transfer> transfer, Watcher watcher);
  static Task<Result<void>> look_up(std::shared_ptr<Core> self, Transfer& transfer);
  Error about_target(Error error) const {
    if (error.pointer.empty() || error.pointer == "/url" || error.pointer == "/settings/host")
      error.pointer = options_->pointer;
    return error;
  }

  std::shared_ptr<Loop> loop_;
  std::shared_ptr<const EgressGuard> guard_;
  net::Network& network_;
  std::shared_ptr<const ChannelOptions> options_;
  std::shared_ptr<net::DialCancel> resolving_ = std::make_shared<net::DialCancel>();
  std::uint64_t id_;
  std::string looked_up_;  // "host:port" whose addresses are kept
  std::vector<std::string> addresses_;
  SteadyTime looked_up_at_;
  bool closed_ = false;
};

namespace {

bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

Result<void> check_headers(const Request& request) {
  constexpr std::string_view kToken = "!#$%&'*+-.^_`|~";
  const auto in_name = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kToken.contains(c);
  };
  const bool method = !request.method.empty() && std::ranges::all_of(request.method, in_name);
  bool good = method;
  for (const auto& [name, value] : request.headers) {
    good = good && !name.empty() && std::ranges::all_of(name, in_name) && is_clean(value);
  }
  if (good) return {};
  return fail(ErrorClass::kFunction, "invalid_header",
              "A header has a name that is none, or a line break in its value.",
              "Header names are letters, digits and hyphens; values are one line.",
              "/settings/headers");
}

}  // namespace

Task<Result<void>> Channel::Core::look_up(std::shared_ptr<Core> self, Transfer& transfer) {
  const std::string name = fmt::format("{}:{}", transfer.target.host, transfer.target.port);
  const SteadyTime now = self->loop_->clock().steady_now();
  if (self->looked_up_ != name || now - self->looked_up_at_ >= kAddressesKept) {
    net::Endpoint endpoint{transfer.target.host, transfer.target.port};
    auto found = co_await self->network_.resolve_cancellable(std::move(endpoint), transfer.deadline,
                                                             self->resolving_);
    if (!found) co_return fail(self->about_target(std::move(found.error())));
    std::vector<std::string> addresses;
    for (const net::Address& address : *found) {
      auto allowed = self->guard_->check_address(transfer.target, address.ip);
      if (!allowed) co_return fail(self->about_target(std::move(allowed.error())));
      addresses.push_back(canonical(address.ip));
    }
    self->looked_up_ = name;
    self->looked_up_at_ = now;
    self->addresses_ = std::move(addresses);
  }
  transfer.addresses = self->addresses_;
  co_return Result<void>{};
}

Task<Result<Answer>> Channel::Core::transmit(std::shared_ptr<Core> self,
                                             std::unique_ptr<Transfer> transfer, Watcher watcher) {
  const auto looked_up = co_await look_up(self, *transfer);
  TRIBUTARY_CO_TRY(looked_up);
  if (self->closed_) co_return fail(cancelled_error());
  transfer->channel = self->id_;
  transfer->options = self->options_;
  transfer->utc = self->loop_->clock().utc_now();
  const Executor executor = co_await asio::this_coro::executor;
  if (watcher.stage) {
    transfer->stage = [executor, tell = watcher.stage](std::string_view stage) {
      asio::post(executor, [tell, stage] { tell(stage); });
    };
  }
  if (watcher.certificate) {
    transfer->certificate = [executor,
                             tell = watcher.certificate](const net::ShownCertificate& shown) {
      asio::post(executor, [tell, shown] { tell(shown); });
    };
  }
  auto loop = self->loop_;
  auto sending = submit(loop, std::move(transfer));
  auto answer = co_await std::move(sending);
  if (answer) co_return answer;
  if (self->closed_) co_return fail(cancelled_error());
  if (is_connection_error(answer.error().error_class)) self->looked_up_.clear();
  if (answer.error().pointer == "/settings/host")
    co_return fail(self->about_target(std::move(answer.error())));
  co_return answer;
}

Task<Result<Answer>> Channel::Core::send(std::shared_ptr<Core> self, Request request,
                                         SteadyTime deadline, Watcher watcher) {
  if (self->closed_) co_return fail(cancelled_error());
  auto target = self->guard_->check_url(request.url);
  if (!target) co_return fail(self->about_target(std::move(target.error())));
  TRIBUTARY_CO_TRY(check_headers(request));
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->target = std::move(*target);
  transfer->url = transfer->target.url();
  transfer->deadline = deadline;
  auto sending = transmit(self, std::move(transfer), std::move(watcher));
  co_return co_await std::move(sending);
}

Task<Result<Answer>> Channel::Core::send_mail(std::shared_ptr<Core> self, Mail mail,
                                              SteadyTime deadline, Watcher watcher) {
  if (self->closed_) co_return fail(cancelled_error());
  auto target = self->guard_->check_host(mail.host, mail.port);
  if (!target) co_return fail(self->about_target(std::move(target.error())));
  bool clean = is_clean(mail.from) && is_clean(mail.client_name);
  for (const std::string& address : mail.recipients) clean = clean && is_clean(address);
  if (!clean) {
    co_return fail(ErrorClass::kFunction, "invalid_address",
                   "An address of the mail has a line break in it.");
  }
  auto transfer = std::make_unique<Transfer>();
  transfer->target = std::move(*target);
  const bool six = transfer->target.host.contains(':');
  transfer->url = fmt::format(
      "{}://{}{}{}:{}/{}", mail.security == MailSecurity::kTls ? "smtps" : "smtp", six ? "[" : "",
      transfer->target.host, six ? "]" : "", mail.port, mail.client_name);
  transfer->mail = std::move(mail);
  transfer->deadline = deadline;
  auto sending = transmit(self, std::move(transfer), std::move(watcher));
  co_return co_await std::move(sending);
}

Channel::Channel(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Channel::~Channel() {
  abort();
}
void Channel::abort() noexcept {
  core_->abort();
}
bool Channel::is_over() const {
  return core_->is_over();
}

Task<Result<Answer>> Channel::send(Request request, SteadyTime deadline, Watcher watcher) {
  return Core::send(core_, std::move(request), deadline, std::move(watcher));
}
Task<Result<Answer>> Channel::send_mail(Mail mail, SteadyTime deadline, Watcher watcher) {
  return Core::send_mail(core_, std::move(mail), deadline, std::move(watcher));
}

std::unique_ptr<Channel> Client::open_channel(net::Network& network, ChannelOptions options) {
  return std::make_unique<Channel>(
      std::make_shared<Channel::Core>(loop_, guard_, network, std::move(options)));
}

bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> kMethods = {"GET",    "HEAD",    "PUT",
                                                        "DELETE", "OPTIONS", "TRACE"};
  return std::ranges::find(kMethods, method) != kMethods.end();
}

}  // namespace tributary::http
