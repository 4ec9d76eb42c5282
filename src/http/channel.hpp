// What one connection profile sends, by HTTP or SMTP: its rules for TLS and login, its connections,
// its end. Every address is checked by the hub's egress guard before it is connected to;
// connections are kept between requests and shared with nobody.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "http/client.hpp"
#include "net/certificate.hpp"
#include "net/tls.hpp"

namespace tributary::http {

enum class Login : std::uint8_t { kNone, kBasic, kDigest };

constexpr std::size_t kMaxChannelAnswer = std::size_t{10} * 1024 * 1024;
constexpr std::size_t kMaxHeaderLines = 1000;
constexpr std::size_t kMaxHeaderBytes = std::size_t{256} * 1024;
constexpr std::size_t kMaxUnpackRatio = 100;
constexpr std::chrono::seconds kIdleConnection{55};  // servers give up after 60 or more
// Addresses that were looked up and checked are used for so long.
constexpr std::chrono::seconds kAddressesKept{30};

struct ChannelOptions {
  std::string pointer = "/settings/baseUrl";  // the setting that errors about the target are about
  // For https, smtps and STARTTLS. Who is to be trusted is said here and nowhere else.
  net::TlsOptions tls{};
  Login login = Login::kNone;  // by HTTP
  std::string username{};      // for HTTP and SMTP; empty: none
  Secret password{};
  net::Keepalive keepalive{};
  std::size_t max_answer_bytes = kMaxChannelAnswer;  // unpacked
};

// Told on the caller's executor, before the result.
struct Watcher {
  // "tcp", "tls", "protocol" as they begin; nothing when a kept connection serves.
  std::function<void(std::string_view stage)> stage{};
  // The server of a new connection showed its certificate, acceptable or not.
  std::function<void(const net::ShownCertificate& shown)> certificate{};
};

enum class MailSecurity : std::uint8_t {
  kNone,
  kStartTls,  // required: a server that does not offer it hears nothing of the mail or the login
  kTls        // from the first byte
};

struct Mail {
  std::string host;
  std::uint16_t port = 0;
  MailSecurity security = MailSecurity::kStartTls;
  std::string client_name;  // of EHLO
  std::string from;         // address only
  // Addresses only. Empty: no mail is sent; the server is asked for a sign of life (NOOP).
  std::vector<std::string> recipients;
  std::string message;  // RFC 5322, lines end with CRLF
};

// Lives on one executor.
class Channel {
 public:
  class Core;
  explicit Channel(std::shared_ptr<Core> core);
  ~Channel();  // as abort()
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // As Client::send, and: kFunction "answer_too_large" also for headers without end and for what
  // unpacks to more than kMaxUnpackRatio times its size; kFunction "invalid_header"; kTransient
  // "connection_reset", "protocol_error" (not HTTP); with TLS those of net::TlsClient. A request is
  // sent once: when a kept connection turns out to be dead, one that may have arrived is repeated
  // only if its method allows it (RFC 9110, section 9.2.2).
  Task<Result<Answer>> send(Request request, SteadyTime deadline, Watcher watcher = {});

  // Answer: the last reply's code and text. All recipients or none. Errors: those of the connection
  // as above; kIdentity "not_authorized" (535 and the like); kConfiguration
  // "tls_not_offered", "login_not_offered"; kFunction "mail_refused" (5xx); kBusy "server_busy"
  // (421, 450, 451, 452 and other 4xx); kTransient "protocol_error".
  Task<Result<Answer>> send_mail(Mail mail, SteadyTime deadline, Watcher watcher = {});

  // Ends what is under way with kCancelled "cancelled" and closes what is kept. Idempotent.
  void abort() noexcept;
  bool is_over() const;

 private:
  std::shared_ptr<Core> core_;
};

// GET, HEAD, PUT, DELETE, OPTIONS, TRACE: doing it twice is as good as once.
bool is_idempotent(std::string_view method);

}  // namespace tributary::http
