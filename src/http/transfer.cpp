#include "http/transfer.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "http/retry_after.hpp"
#include "net/options.hpp"

namespace tributary::http {
namespace {

// Below this an answer may unpack as far as it likes.
constexpr std::size_t kSmallAnswer = std::size_t{64} * 1024;

void append(Slist& list, const std::string& text) {
  list.reset(curl_slist_append(list.release(), text.c_str()));
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

Transfer& of(void* user) {
  return *static_cast<Transfer*>(user);
}

std::size_t take_body(const char* data, std::size_t, std::size_t size, void* user) {
  Transfer& transfer = of(user);
  if (transfer.mail) return size;  // replies come as headers
  const std::size_t whole = transfer.answer.body.size() + size;
  if (whole > transfer.max_answer()) {
    transfer.excess = Transfer::Excess::kBody;
    return 0;
  }
  curl_off_t packed = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_SIZE_DOWNLOAD_T, &packed);
  if (whole > kSmallAnswer && packed > 0 &&
      whole / kMaxUnpackRatio > static_cast<std::size_t>(packed)) {
    transfer.excess = Transfer::Excess::kRatio;
    return 0;
  }
  transfer.answer.body.append(data, size);
  return size;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::string lowered(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return copy;
}

void take_http_line(Transfer& transfer, std::string_view line) {
  if (line.starts_with("HTTP/")) {  // also after 100 and after the 401 that asks for a digest
    transfer.answer.headers.clear();
    transfer.answer.body.clear();
    transfer.began = true;
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return;
  transfer.answer.headers.emplace_back(lowered(trimmed(line.substr(0, colon))),
                                       std::string(trimmed(line.substr(colon + 1))));
}

// A reply line of SMTP (RFC 5321, section 4.2): "250-SIZE 1000", "550 No such user".
void take_mail_line(Transfer& transfer, std::string_view line) {
  int code = 0;
  const auto read =
      std::from_chars(line.data(), line.data() + std::min<std::size_t>(3, line.size()), code);
  if (read.ec != std::errc{} || line.size() < 3) return;
  // A connection that was kept has been greeted before.
  if (transfer.answer.status == 0 && code != 220) transfer.greeted = true;
  // What was refused stays the answer; the goodbye that follows says nothing.
  if (transfer.greeted && transfer.answer.status >= 400 && code != transfer.answer.status) return;
  if (code != transfer.answer.status) transfer.answer.body.clear();
  transfer.answer.status = code;
  if (code == 235) transfer.logged_in = true;
  if (code == 220 && transfer.answer.headers.empty())
    transfer.answer.headers.emplace_back("greeting", std::string(trimmed(line.substr(3))));
  if (!transfer.answer.body.empty()) transfer.answer.body += ' ';
  transfer.answer.body += trimmed(line.substr(std::min<std::size_t>(4, line.size())));
  if (code >= 200 && code < 400 && code != 220) transfer.greeted = true;
  if (code < 400 || !transfer.greeted || transfer.pool == nullptr) return;
  // The exchange ends here. curl says QUIT and waits for the reply on the thread that all share: it
  // finds the end of the stream instead.
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(transfer.easy, CURLINFO_ACTIVESOCKET, &socket);
  if (socket != CURL_SOCKET_BAD) ::shutdown(socket, SHUT_RD);
}

std::size_t take_header(const char* data, std::size_t, std::size_t size, void* user) {
  Transfer& transfer = of(user);
  transfer.header_bytes += size;
  if (++transfer.header_lines > kMaxHeaderLines || transfer.header_bytes > kMaxHeaderBytes) {
    transfer.excess = Transfer::Excess::kHeaders;
    return 0;
  }
  const std::string_view line(data, size);
  if (transfer.mail) {
    take_mail_line(transfer, line);
  } else {
    take_http_line(transfer, line);
  }
  return size;
}

std::size_t give_mail(char* buffer, std::size_t, std::size_t room, void* user) {
  Transfer& transfer = of(user);
  const std::string& text = transfer.mail->message;
  const std::size_t size = std::min(room, text.size() - transfer.given);
  std::copy_n(text.data() + transfer.given, size, buffer);
  transfer.given += size;
  return size;
}

// The last word: whatever curl thinks it should connect to, a socket is made for checked addresses
// only.
curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  Transfer& transfer = of(user);
  const std::string ip = text_of(address->addr);
  if (std::ranges::find(transfer.addresses, ip) == transfer.addresses.end()) return CURL_SOCKET_BAD;
  const int made = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (made < 0) return CURL_SOCKET_BAD;
  if (transfer.options) static_cast<void>(net::apply_keepalive(made, transfer.options->keepalive));
  if (transfer.pool != nullptr) transfer.pool->sockets.insert(made);
  return made;
}

// Outlives the transfer: a connection that is kept has the pool's address.
int close_socket(void* user, curl_socket_t socket) {
  static_cast<Pool*>(user)->sockets.erase(socket);
  return ::close(socket);
}

// curl made a context for one connection: our rules take the place of its own.
CURLcode make_secure(CURL*, void* context, void* user) {
  Transfer& transfer = of(user);
  if (transfer.stage) transfer.stage("tls");
  auto made = net::TlsClient::make_on(static_cast<ssl_ctx_st*>(context), transfer.options->tls,
                                      transfer.utc);
  if (!made) {
    transfer.failure = std::move(made.error());
    return CURLE_SSL_CERTPROBLEM;
  }
  transfer.tls = std::move(*made);
  return CURLE_OK;
}

// A connection is there and the request is about to be sent. curl repeats by itself what a kept
// connection swallowed; that would be a second write.
int about_to_send(void* user, char*, char*, int, int) {
  Transfer& transfer = of(user);
  if (transfer.sent && !transfer.began &&
      (transfer.mail || !is_idempotent(transfer.request.method))) {
    transfer.repeat_refused = true;
    return CURL_PREREQFUNC_ABORT;
  }
  transfer.sent = true;
  transfer.began = false;
  if (transfer.stage) transfer.stage("protocol");
  return CURL_PREREQFUNC_OK;
}

template <typename Value>
void set(Transfer& transfer, CURLoption option, Value value) {
  curl_easy_setopt(transfer.easy, option, value);
}

void prepare_request(Transfer& transfer) {
  const Request& request = transfer.request;
  set(transfer, CURLOPT_PATH_AS_IS, 1L);
  set(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
  set(transfer, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(transfer, CURLOPT_USERAGENT, "Tributary");
  set(transfer, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  bool typed = false;
  for (const auto& [name, value] : request.headers) {
    append(transfer.headers, value.empty() ? name + ";" : name + ": " + value);
    typed = typed || lowered(name) == "content-type";
  }
  const bool carries =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (request.method == "HEAD") {
    set(transfer, CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || carries) {
    set(transfer, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(transfer, CURLOPT_POSTFIELDS, request.body.c_str());
    if (!typed) append(transfer.headers, "Content-Type:");  // curl would call it a form
  }
  append(transfer.headers, "Expect:");  // no pause in front of the body
  set(transfer, CURLOPT_HTTPHEADER, transfer.headers.get());
}

void prepare_mail(Transfer& transfer) {
  const Mail& mail = *transfer.mail;
  set(transfer, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(transfer, CURLOPT_USE_SSL,
      static_cast<long>(mail.security == MailSecurity::kNone ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  if (mail.recipients.empty()) {
    set(transfer, CURLOPT_CUSTOMREQUEST, "NOOP");
    set(transfer, CURLOPT_NOBODY, 1L);
    return;
  }
  set(transfer, CURLOPT_MAIL_FROM, ("<" + mail.from + ">").c_str());
  for (const std::string& address : mail.recipients)
    append(transfer.recipients, "<" + address + ">");
  set(transfer, CURLOPT_MAIL_RCPT, transfer.recipients.get());
  set(transfer, CURLOPT_UPLOAD, 1L);
  set(transfer, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail.message.size()));
  set(transfer, CURLOPT_READFUNCTION, &give_mail);
  set(transfer, CURLOPT_READDATA, &transfer);
}

void prepare_login(Transfer& transfer) {
  const ChannelOptions& options = *transfer.options;
  if (options.username.empty() || (options.login == Login::kNone && !transfer.mail)) return;
  const bool digest = options.login == Login::kDigest;
  set(transfer, CURLOPT_HTTPAUTH, static_cast<long>(digest ? CURLAUTH_DIGEST : CURLAUTH_BASIC));
  set(transfer, CURLOPT_USERNAME, options.username.c_str());
  Secret copy = options.password;  // ends with a zero byte, and is wiped
  set(transfer, CURLOPT_PASSWORD, copy.reveal().data());
}

// What makes it one of a channel's: kept connections, the channel's rules for TLS.
void prepare_channel(Transfer& transfer) {
  set(transfer, CURLOPT_SHARE, transfer.pool->share);
  set(transfer, CURLOPT_MAXAGE_CONN, static_cast<long>(kIdleConnection.count()));
  set(transfer, CURLOPT_CLOSESOCKETFUNCTION, &close_socket);
  set(transfer, CURLOPT_CLOSESOCKETDATA, transfer.pool);
  if (!transfer.mail) set(transfer, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  set(transfer, CURLOPT_CAINFO, nullptr);
  set(transfer, CURLOPT_CAPATH, nullptr);
  set(transfer, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  set(transfer, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  set(transfer, CURLOPT_SSL_VERIFYHOST, 0L);  // the name is looked at by make_secure's rules
  set(transfer, CURLOPT_SSL_CTX_FUNCTION, &make_secure);
  set(transfer, CURLOPT_SSL_CTX_DATA, &transfer);
  set(transfer, CURLOPT_PREREQFUNCTION, &about_to_send);
  set(transfer, CURLOPT_PREREQDATA, &transfer);
  prepare_login(transfer);
}

}  // namespace

void SlistDelete::operator()(curl_slist* list) const {
  curl_slist_free_all(list);
}

Pool::Pool() : share(curl_share_init()) {
  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
}

Pool::~Pool() {
  // A goodbye may be said, but nobody waits for its answer.
  for (const curl_socket_t socket : sockets) ::shutdown(socket, SHUT_RD);
  curl_share_cleanup(share);
}

Transfer::~Transfer() {
  if (easy != nullptr) curl_easy_cleanup(easy);
}

Result<void> prepare(Transfer& transfer, SteadyTime now) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(transfer.deadline - now);
  transfer.easy = curl_easy_init();
  if (transfer.easy == nullptr)
    return fail(ErrorClass::kInternal, "out_of_memory", "No memory for an HTTP request.");
  const long limit = static_cast<long>(std::max<std::int64_t>(1, left.count()));
  set(transfer, CURLOPT_URL, transfer.url.c_str());
  set(transfer, CURLOPT_FOLLOWLOCATION, 0L);
  set(transfer, CURLOPT_PROXY, "");  // also against http_proxy in the environment
  set(transfer, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(transfer, CURLOPT_NOSIGNAL, 1L);
  set(transfer, CURLOPT_TIMEOUT_MS, limit);
  set(transfer, CURLOPT_CONNECTTIMEOUT_MS, limit);
  set(transfer, CURLOPT_SSL_VERIFYPEER, 1L);
  set(transfer, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!transfer.target.is_address) {
    append(transfer.resolve, fmt::format("{}:{}:{}", transfer.target.host, transfer.target.port,
                                         fmt::join(transfer.addresses, ",")));
    set(transfer, CURLOPT_RESOLVE, transfer.resolve.get());
  }
  set(transfer, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(transfer, CURLOPT_OPENSOCKETDATA, &transfer);
  set(transfer, CURLOPT_WRITEFUNCTION, &take_body);
  set(transfer, CURLOPT_WRITEDATA, &transfer);
  set(transfer, CURLOPT_HEADERFUNCTION, &take_header);
  set(transfer, CURLOPT_HEADERDATA, &transfer);
  if (transfer.mail) {
    prepare_mail(transfer);
  } else {
    prepare_request(transfer);
  }
  if (transfer.pool != nullptr) {
    prepare_channel(transfer);
  } else {
    // One that was kept might lead to an address that would not pass the check any more.
    set(transfer, CURLOPT_FRESH_CONNECT, 1L);
    set(transfer, CURLOPT_FORBID_REUSE, 1L);
  }
  if (transfer.stage) transfer.stage("tcp");
  return {};
}

Result<Answer> finish_answer(Transfer& transfer) {
  curl_off_t micros = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_TOTAL_TIME_T, &micros);
  transfer.answer.duration = std::chrono::microseconds(micros);
  const char* ip = nullptr;
  long port = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_PRIMARY_IP, &ip);
  curl_easy_getinfo(transfer.easy, CURLINFO_PRIMARY_PORT, &port);
  const std::string_view address = ip != nullptr ? ip : "";
  transfer.answer.peer = address.contains(':') ? fmt::format("[{}]:{}", address, port)
                                               : fmt::format("{}:{}", address, port);
  if (transfer.mail) return std::move(transfer.answer);
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  transfer.answer.status = static_cast<int>(status);
  transfer.answer.retry_after_ms =
      parse_retry_after(transfer.answer.header("retry-after"), transfer.utc);
  return std::move(transfer.answer);
}

}  // namespace tributary::http
