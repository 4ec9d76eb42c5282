#include "connectors/postgresql/src/link.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <cerrno>
#include <system_error>

#include "net/options.hpp"

namespace tributary::connectors::postgresql {
namespace {

using boost::system::error_code;

// Where libpq finds none of the files it would look for in somebody's home.
constexpr const char* kNoFile = "/dev/null/none";
// Type and length of a message, and what kind of login is asked for.
constexpr int kLoginRequestBytes = 9;
// How long an answer that was not read while the link was held may take from then on.
constexpr Duration kPatienceAfterHold = std::chrono::seconds(10);

// Ends a TCP connection with a reset, whoever else holds the descriptor; what libpq says on leaving
// goes nowhere.
void reset_socket(int descriptor) noexcept {
  const linger now{1, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  static_cast<void>(::connect(descriptor, &nowhere, sizeof nowhere));
}

void wait_for_bytes(int descriptor, int count) noexcept {
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &count, sizeof count);
}

// While it is corked, TCP holds back a segment that is not full (tcp(7): for 200 ms at most).
void cork(int descriptor, bool on) noexcept {
  const int value = on ? 1 : 0;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

// The reason of the operating system that stands in a message of libpq; 0 when there is none.
int errno_in(std::string_view text) {
  for (const int number : {ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN}) {
    if (text.find(std::generic_category().message(number)) != std::string_view::npos) return number;
  }
  return 0;
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

// libpq keeps the code of a refused login to itself, but writes it into the verbose form of its
// message: "… failed: FATAL:  28P01: password authentication failed for user "x"".
std::optional<ServerError> server_error_in(std::string_view text) {
  for (auto at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    const auto rest = text.substr(at + 3);
    constexpr std::size_t kStateLength = 5;
    if (rest.size() < kStateLength + 2 || rest.substr(kStateLength, 2) != ": ") continue;
    const auto state = rest.substr(0, kStateLength);
    if (state.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos)
      continue;
    ServerError error;
    error.severity = "FATAL";
    error.sqlstate = state;
    error.message = first_line(rest.substr(kStateLength + 2));
    return error;
  }
  return std::nullopt;
}

}  // namespace

void ConnectionFree::operator()(pg_conn* connection) const noexcept {
  PQfinish(connection);
}
void ResultFree::operator()(pg_result* result) const noexcept {
  PQclear(result);
}

// ---- the TCP connection ----

TcpAttempt::TcpAttempt(const Executor& executor, const LinkOptions& options, net::Address address,
                       std::string peer_)
    : descriptor(executor),
      peer(std::move(peer_)),
      options_(options),
      address_(std::move(address)) {}

Result<void> TcpAttempt::begin() {
  const ConnectionSettings& settings = options_.settings;
  const bool secure = options_.tls != nullptr;
  const std::string port = std::to_string(address_.port);
  const std::string name = settings.tls.server_name.value_or(settings.host);
  const std::string password(options_.password ? options_.password->reveal() : std::string_view());
  const bool newest = settings.tls.minimum_version == ConnectionSettings::Tls::MinimumVersion::k1_3;
  // The certificate is checked here (adopt_tls), not by libpq: it takes files only and keeps its
  // reasons to itself.
  const std::array<std::pair<const char*, const char*>, 17> all{{
      {"host", name.c_str()},
      {"hostaddr", address_.ip.c_str()},
      {"port", port.c_str()},
      {"dbname", settings.database.c_str()},
      {"user", settings.username.c_str()},
      {"password", password.c_str()},
      {"passfile", kNoFile},
      {"application_name", settings.application_name.c_str()},
      {"client_encoding", "UTF8"},
      {"target_session_attrs", "any"},
      {"gssencmode", "disable"},
      {"sslmode", secure ? "require" : "disable"},
      {"ssl_min_protocol_version", newest ? "TLSv1.3" : "TLSv1.2"},
      {"sslrootcert", kNoFile},
      {"sslcert", kNoFile},
      {"sslkey", kNoFile},
      {"sslcrl", kNoFile},
  }};
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [key, value] : all) {
    names.push_back(key);
    values.push_back(value);
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  connection.reset(PQconnectStartParams(names.data(), values.data(), 0));
  if (connection == nullptr) return fail(net::error_from_errno(ENOMEM, "connect to", peer));
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  if (PQstatus(connection.get()) != CONNECTION_BAD && PQsocket(connection.get()) >= 0) return {};
  const std::string_view text = PQerrorMessage(connection.get());
  for (const int number : {ECONNREFUSED, EADDRNOTAVAIL, EMFILE, ENFILE, EACCES, EPERM}) {
    if (text.find(std::generic_category().message(number)) != std::string_view::npos)
      return fail(net::error_from_errno(number, "connect to", peer));
  }
  if (const int number = errno_in(text))
    return fail(net::error_from_errno(number, "connect to", peer));
  return fail(ErrorClass::kTransient, "io_error",
              fmt::format("Could not connect to {}: {}", peer, first_line(text)));
}

Task<Result<void>> TcpAttempt::connect(std::shared_ptr<TcpAttempt> self) {
  const Result<void> begun = self->begin();
  if (!begun) co_return begun;
  const int duplicate = ::fcntl(PQsocket(self->connection.get()), F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) co_return fail(net::error_from_errno(errno, "connect to", self->peer));
  error_code error;
  self->descriptor.assign(duplicate, error);
  if (error) {
    ::close(duplicate);
    co_return fail(net::error_from_errno(error.value(), "connect to", self->peer));
  }
  co_await self->descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                       asio::redirect_error(use_task, error));
  if (error) co_return fail(net::error_from_errno(error.value(), "connect to", self->peer));
  co_return net::check_connected(self->descriptor.native_handle(), self->peer);
}

void TcpAttempt::abort() noexcept {
  if (descriptor.is_open()) {
    reset_socket(descriptor.native_handle());
    error_code ignored;
    descriptor.close(ignored);
  }
  connection.reset();
}

// ---- the login ----

Link::Link(const Executor& executor, Timers& timers, TcpAttempt& attempt,
           std::shared_ptr<net::TlsClient> tls)
    : executor_(executor),
      timers_(timers),
      connection_(std::move(attempt.connection)),
      descriptor_(std::move(attempt.descriptor)),
      peer_(attempt.peer),
      tls_(std::move(tls)) {
  PQsetNoticeReceiver(
      connection_.get(),
      [](void* self, const PGresult* notice) {
        ServerError error = ServerError::of(notice);
        if (error.ends_session()) static_cast<Link*>(self)->farewell_ = std::move(error);
      },
      this);
}

Link::~Link() {
  abort();
}

Task<bool> Link::wait(Self self, bool readable) {
  error_code error;
  const auto direction =
      readable ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
  co_await self->descriptor_.async_wait(direction, asio::redirect_error(use_task, error));
  co_return !self->ended_ && !error;
}

// libpq writes its hello within one call and knows of no way to be told before it whom to trust and
// what certificate of the client's own to show. Both are put in while the hello is still corked: a
// server on the same machine would answer within that call.
int Link::poll_corked() {
  const int descriptor = descriptor_.native_handle();
  cork(descriptor, true);
  const int polling = PQconnectPoll(connection_.get());
  adopt_tls();
  cork(descriptor, false);
  return polling;
}

void Link::adopt_tls() {
  auto* ssl = static_cast<SSL*>(PQsslStruct(connection_.get(), "OpenSSL"));
  if (ssl == nullptr) return;
  tls_adopted_ = true;
  SSL_set_SSL_CTX(ssl, tls_->context());
  SSL_set1_param(ssl, SSL_CTX_get0_param(tls_->context()));
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
}

bool Link::check_certificate() {
  if (tls_ == nullptr || certificate_checked_) return true;
  auto* ssl = static_cast<SSL*>(PQsslStruct(connection_.get(), "OpenSSL"));
  if (ssl == nullptr || SSL_is_init_finished(ssl) == 0) return true;
  certificate_checked_ = true;
  // Had the machine stood still for longer than a cork holds, the handshake may be over already.
  const Result<void> accepted = tls_->judge(ssl, peer_);
  if (on_certificate_ && tls_->shown() != nullptr) on_certificate_(*tls_->shown());
  if (accepted) return true;
  loss_ = accepted.error();
  return false;
}

Link::Look Link::look_at_answer() {
  const auto status = PQstatus(connection_.get());
  const bool asks_for_tls = status == CONNECTION_SSL_STARTUP && !tls_adopted_;
  const bool plain_answer = status == CONNECTION_AWAITING_RESPONSE && tls_ == nullptr;
  if (heard_ || (!asks_for_tls && !plain_answer)) return Look::kGoOn;
  std::array<unsigned char, kLoginRequestBytes> bytes{};
  const auto got =
      ::recv(descriptor_.native_handle(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got <= 0) return Look::kGoOn;
  if (asks_for_tls) {
    if (bytes[0] == 'S' || bytes[0] == 'E') return Look::kGoOn;
    loss_ = bytes[0] == 'N' ? tls_refused(peer_)
                            : protocol_error(peer_, "did not answer whether it offers TLS");
    return Look::kOver;
  }
  constexpr unsigned char kCleartextPassword = 3;
  if (bytes[0] == 'R' && got < kLoginRequestBytes) {
    // Fewer than were waited for are all that come.
    if (std::exchange(waited_, true)) {
      loss_ = closed(peer_, false);
      return Look::kOver;
    }
    wait_for_bytes(descriptor_.native_handle(), kLoginRequestBytes);
    return Look::kWait;
  }
  wait_for_bytes(descriptor_.native_handle(), 1);
  heard_ = true;
  if (bytes[0] == 'R' && bytes[8] == kCleartextPassword) {
    loss_ = cleartext_password_refused(peer_);
    return Look::kOver;
  }
  if (bytes[0] == 'R' || bytes[0] == 'E' || bytes[0] == 'v') return Look::kGoOn;
  loss_ = protocol_error(peer_, "answered the login with something that is not PostgreSQL");
  return Look::kOver;
}

Error Link::login_failure() const {
  const std::string_view text = PQerrorMessage(connection_.get());
  if (const auto said = server_error_in(text)) return to_error(*said, Purpose::kLogin, peer_);
  if (tls_ != nullptr) {
    if (tls_adopted_ && !certificate_checked_) return tls_->broken(peer_);
    if (auto alert = tls_->alert(peer_)) return *std::move(alert);
  }
  if (const int number = errno_in(text)) return net::error_from_errno(number, "log in to", peer_);
  if (text.find("server closed the connection") != std::string_view::npos)
    return closed(peer_, false);
  if (PQconnectionNeedsPassword(connection_.get()) != 0) {
    return {ErrorClass::kIdentity, "password_required",
            fmt::format("{} asks for a password, and the connection has none", peer_),
            "Enter the password.", "/secrets/password"};
  }
  return protocol_error(peer_, "did not go on with the login: " + first_line(text));
}

bool Link::poll_login(int& polling) {
  const bool may_begin_tls = tls_ != nullptr && !tls_adopted_;
  polling = may_begin_tls ? poll_corked() : PQconnectPoll(connection_.get());
  if (polling == PGRES_POLLING_FAILED) {
    // A certificate that was refused was shown all the same.
    if (tls_ != nullptr && !certificate_checked_ && tls_->shown() != nullptr && on_certificate_)
      on_certificate_(*tls_->shown());
    loss_ = login_failure();
    return false;
  }
  if (!check_certificate()) return false;
  if (polling != PGRES_POLLING_OK) return true;
  open_ = true;
  return false;
}

Task<void> Link::login_loop(Self self) {
  int polling = PGRES_POLLING_WRITING;
  bool told = false;
  while (true) {
    const bool reading = polling == PGRES_POLLING_READING;
    const bool ready = co_await wait(self, reading);
    if (self->ended_) co_return;
    if (!ready) break;
    if (reading) {
      const bool answered = PQstatus(self->connection_.get()) == CONNECTION_AWAITING_RESPONSE;
      if (answered && self->tls_ && self->on_stage_ && !std::exchange(told, true))
        self->on_stage_("protocol");
      const Look look = self->look_at_answer();
      if (look == Look::kWait) continue;
      if (look == Look::kOver) break;
      if (answered && self->on_stage_) std::exchange(self->on_stage_, nullptr)("login");
    }
    if (!self->poll_login(polling)) break;
  }
  if (self->logged_in_) self->logged_in_->set();
}

Task<Result<void>> Link::log_in(Self self, SteadyTime deadline, net::StageObserver& stages,
                                std::function<void(const net::ShownCertificate&)> certificate) {
  stages.begin(self->tls_ != nullptr ? "tls" : "protocol");
  self->on_certificate_ = std::move(certificate);
  self->on_stage_ = [&stages](std::string_view stage) { stages.begin(stage); };
  const auto done = std::make_shared<Event>(self->executor_);
  self->logged_in_ = done;
  if (PQsetnonblocking(self->connection_.get(), 1) != 0)
    co_return fail(net::error_from_errno(ENOMEM, "connect to", self->peer_));
  spawn(self->executor_, login_loop(self));
  const bool in_time = co_await done->wait_until(self->timers_, deadline);
  self->on_stage_ = nullptr;
  self->on_certificate_ = nullptr;
  if (self->ended_) co_return fail(self->loss_.value_or(cancelled()));
  if (!in_time) self->loss_ = no_answer(self->peer_, "the login");
  if (self->open_) co_return Result<void>{};
  Error error = self->loss_.value_or(closed(self->peer_, false));
  self->abort();
  co_return fail(std::move(error));
}

// ---- what travels ----

void Link::start(std::function<void(Error)> lost) {
  on_lost_ = std::move(lost);
  spawn(executor_, read_loop(shared_from_this()));
}

Error Link::broken() const {
  if (farewell_) return to_error(*farewell_, Purpose::kWrite, peer_);
  if (tls_ != nullptr) {
    if (auto alert = tls_->alert(peer_)) return *std::move(alert);
  }
  if (const int number = errno_in(PQerrorMessage(connection_.get())))
    return net::error_from_errno(number, "exchange data with", peer_);
  return closed(peer_, true);
}

Task<void> Link::read_loop(Self self) {
  while (true) {
    if (const auto held = self->held_) co_await held->wait();
    if (self->ended_) co_return;
    const bool ready = co_await wait(self, true);
    if (self->ended_) co_return;
    if (!ready || PQconsumeInput(self->connection_.get()) == 0) {
      // What came before the end is an answer, perhaps the very one that is waited for.
      if (self->busy_ && PQisBusy(self->connection_.get()) == 0) {
        self->wake();
        co_return;
      }
      self->lose(self->broken());
      co_return;
    }
    // What comes unasked is only looked at when somebody asks for it.
    while (PGnotify* notice = PQnotifies(self->connection_.get())) {
      if (self->on_notify_) self->on_notify_(*notice);
      PQfreemem(notice);
    }
    self->wake();
  }
}

bool Link::write_out() {
  const int left = PQflush(connection_.get());
  if (left < 0) {
    lose(broken());
    return false;
  }
  if (left > 0 && !std::exchange(writing_, true)) spawn(executor_, write_loop(shared_from_this()));
  return true;
}

Task<void> Link::write_loop(Self self) {
  while (true) {
    const bool ready = co_await wait(self, false);
    if (self->ended_) co_return;
    const int left = ready ? PQflush(self->connection_.get()) : -1;
    if (left > 0) continue;
    self->writing_ = false;
    if (left < 0) self->lose(self->broken());
    co_return;
  }
}

Task<Result<ResultPointer>> Link::next_result(Self self, std::string_view what,
                                              SteadyTime deadline) {
  while (true) {
    if (self->ended_) co_return fail(self->loss_.value_or(cancelled()));
    if (PQisBusy(self->connection_.get()) == 0) break;
    if (PQstatus(self->connection_.get()) == CONNECTION_BAD) {
      self->lose(self->broken());
      continue;
    }
    if (!self->activity_) self->activity_ = std::make_shared<Event>(self->executor_);
    const auto activity = self->activity_;
    const bool in_time = co_await activity->wait_until(self->timers_, deadline);
    if (in_time || self->ended_) continue;
    if (const auto held = self->held_) {
      co_await held->wait();
      deadline = self->timers_.now() + kPatienceAfterHold;
      continue;
    }
    self->lose(no_answer(self->peer_, what));
  }
  ResultPointer result(PQgetResult(self->connection_.get()));
  // libpq's own word for an end of the connection is a result without a code.
  const bool ended = result ? PQresultStatus(result.get()) == PGRES_FATAL_ERROR &&
                                  ServerError::of(result.get()).sqlstate.empty()
                            : PQstatus(self->connection_.get()) == CONNECTION_BAD;
  if (!ended) co_return result;
  self->lose(self->broken());
  co_return fail(*self->loss_);
}

namespace {

// Marks a link as busy for as long as it lives.
struct Busy {
  explicit Busy(bool& flag_) : flag(flag_) { flag = true; }
  ~Busy() { flag = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  bool& flag;
};

}  // namespace

Task<Result<void>> Link::exchange(Self self, Exchange work, SteadyTime deadline) {
  if (self->ended_) co_return fail(self->loss_.value_or(cancelled()));
  const Busy busy(self->busy_);
  if (PQenterPipelineMode(self->connection_.get()) == 0 || !work.send(self->connection_.get())) {
    self->lose(self->broken());
    co_return fail(*self->loss_);
  }
  if (!self->write_out()) co_return fail(*self->loss_);
  std::size_t query = 0;
  std::size_t syncs = 0;
  bool between = false;  // the answer to one query is whole
  if (work.single_row == query) PQsetSingleRowMode(self->connection_.get());
  while (syncs < work.syncs) {
    Result<ResultPointer> result = co_await next_result(self, work.what, deadline);
    if (!result) co_return fail(std::move(result.error()));
    if (*result == nullptr) {
      if (std::exchange(between, true)) {
        self->lose(protocol_error(self->peer_, "answered less than it was asked"));
        co_return fail(*self->loss_);
      }
      if (work.single_row == ++query) PQsetSingleRowMode(self->connection_.get());
      continue;
    }
    between = false;
    if (PQresultStatus(result->get()) == PGRES_PIPELINE_SYNC) {
      ++syncs;
      continue;
    }
    work.on_result(query, std::move(*result));
  }
  PQexitPipelineMode(self->connection_.get());
  co_return Result<void>{};
}

Task<Result<void>> Link::copy(Self self, std::string statement, std::string data,
                              std::function<void(ResultPointer)> on_result, SteadyTime deadline) {
  if (self->ended_) co_return fail(self->loss_.value_or(cancelled()));
  const Busy busy(self->busy_);
  if (PQsendQuery(self->connection_.get(), statement.c_str()) == 0) {
    self->lose(self->broken());
    co_return fail(*self->loss_);
  }
  if (!self->write_out()) co_return fail(*self->loss_);
  while (true) {
    Result<ResultPointer> result = co_await next_result(self, "COPY", deadline);
    if (!result) co_return fail(std::move(result.error()));
    if (*result == nullptr) co_return Result<void>{};
    if (PQresultStatus(result->get()) != PGRES_COPY_IN) {
      on_result(std::move(*result));
      continue;
    }
    // A refusal that comes meanwhile makes these fail, and is the next result.
    PQputCopyData(self->connection_.get(), data.data(), static_cast<int>(data.size()));
    PQputCopyEnd(self->connection_.get(), nullptr);
    if (!self->write_out()) co_return fail(*self->loss_);
  }
}

void Link::hold(bool held) {
  if (!held) {
    if (held_) std::exchange(held_, nullptr)->set();
  } else if (!held_ && !ended_) {
    held_ = std::make_shared<Event>(executor_);
  }
}

// ---- the end ----

void Link::wake() {
  if (activity_) std::exchange(activity_, nullptr)->set();
}

void Link::lose(Error error) {
  if (std::exchange(ended_, true)) return;
  loss_ = error;
  reset_socket(descriptor_.native_handle());
  error_code ignored;
  descriptor_.close(ignored);
  connection_.reset();
  hold(false);
  wake();
  if (!busy_ && open_) {
    if (auto lost = std::exchange(on_lost_, nullptr)) lost(std::move(error));
  }
}

void Link::close() noexcept {
  if (std::exchange(ended_, true)) return;
  on_lost_ = nullptr;
  error_code ignored;
  descriptor_.close(ignored);
  connection_.reset();
  hold(false);
  wake();
  if (logged_in_) logged_in_->set();
}

void Link::abort() noexcept {
  if (!ended_) reset_socket(descriptor_.native_handle());
  close();
}

}  // namespace tributary::connectors::postgresql
