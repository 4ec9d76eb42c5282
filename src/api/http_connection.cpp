#include "api/http_connection.hpp"

#include <fmt/format.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <ctime>

#include "api/channels.hpp"
#include "base/id.hpp"

namespace tributary::api {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using Parser = http::request_parser<http::string_body>;

constexpr std::size_t kReadSize = 8 * 1024;
constexpr std::size_t kMaxTarget = 8 * 1024;
// A body that nobody will look at is still read up to this, so that the client sees the answer and
// can go on.
constexpr std::size_t kDiscardBytes = 64 * 1024;
constexpr std::size_t kLingerBytes = 4 * 1024 * 1024;
constexpr auto kLinger = std::chrono::seconds{2};
constexpr std::size_t kSmallBody = 16 * 1024;  // sent in one piece with the head

std::string http_date(UtcTime now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Problem unreadable(std::string detail) {
  return Problem(400, "bad_request", std::move(detail));
}

Problem parse_problem(const error_code& error, const Request& request) {
  if (error == http::error::header_limit) {
    return Problem(431, "header_too_large", "The head of the request is larger than 16 KiB.");
  }
  if (error == http::error::body_limit) {
    return Problem(413, "payload_too_large",
                   request.body_limit
                       ? fmt::format("The body is larger than {} bytes.", *request.body_limit)
                       : "The body is larger than 4 MiB.");
  }
  if (error == http::error::bad_version) return Problem(505, "http_version", "Speak HTTP/1.1.");
  return unreadable("This is not an HTTP request that can be understood.");
}

// What Beast lets pass and we do not: each is a way to make two readers of one request see
// different requests.
std::expected<void, Problem> check_framing(const Parser::value_type& message) {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t encodings = 0;
  for (const auto& field : message) {
    if (field.name() == http::field::host) ++hosts;
    if (field.name() == http::field::content_length) ++lengths;
    if (field.name() == http::field::transfer_encoding) {
      ++encodings;
      if (lower_case({field.value().data(), field.value().size()}) != "chunked") {
        return refuse(unreadable("The only Transfer-Encoding that is understood is chunked."));
      }
    }
  }
  if (hosts > 1 || (hosts == 0 && message.version() >= 11)) {
    return refuse(unreadable("The request needs exactly one Host."));
  }
  if (lengths > 1 || encodings > 1 || (lengths == 1 && encodings == 1)) {
    return refuse(unreadable("The length of the body is given more than once."));
  }
  return {};
}

std::expected<void, Problem> fill_request(const Parser::value_type& message, Request& request) {
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  if (target.size() > kMaxTarget)
    return refuse(Problem(414, "bad_request", "The address is longer than 8 KiB."));
  if (!target.starts_with('/')) return refuse(unreadable("The address must begin with a slash."));
  if (target.find('#') != std::string_view::npos)
    return refuse(unreadable("The address must not have a fragment."));
  const auto question = target.find('?');
  request.path = std::string(target.substr(0, question));
  for (const auto& field : message) {
    request.headers.emplace_back(
        lower_case({field.name_string().data(), field.name_string().size()}),
        std::string(field.value().data(), field.value().size()));
  }
  TRIBUTARY_TRY(check_framing(message));
  if (question == std::string_view::npos) return {};
  auto query = parse_query(target.substr(question + 1));
  if (!query) return refuse(unreadable("The query of the address has a broken % escape."));
  request.query = std::move(*query);
  return {};
}

bool is_websocket_upgrade(const Request& request) {
  return equals_ignoring_case(request.header("upgrade"), "websocket") &&
         contains_ignoring_case(request.header("connection"), "upgrade");
}

class HttpConnection {
 public:
  HttpConnection(HttpContext& context, std::shared_ptr<Transport> transport)
      : context_(context),
        transport_(std::move(transport)),
        deadline_(context.runtime.timers(), *transport_) {
    entry_.transport = transport_.get();
    context_.active.add(&entry_);
  }
  ~HttpConnection() {
    context_.active.remove(&entry_);
    // A WebSocket ends its connection itself, after the closing handshake.
    if (!handed_over_) transport_->close();
  }
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  Task<void> run() {
    deadline_.arm(context_.limits.handshake);
    const bool opened = co_await transport_->open();
    deadline_.disarm();
    if (!opened) co_return;
    bool more = true;
    while (more && !context_.active.stopping()) {
      entry_.idle = true;
      more = co_await serve_one();
    }
    if (!gone_) co_await linger();
  }

 private:
  enum class Read : std::uint8_t { kDone, kGone, kSlow, kBad };

  // One request and its answer. False: the connection ends.
  Task<bool> serve_one() {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(context_.limits.header_bytes));
    parser.body_limit(context_.limits.body_bytes);
    Request request;
    request.secure = transport_->secure();
    request.local = transport_->local();
    request.remote = transport_->remote();
    request.correlation_id = make_id(context_.runtime.clock().utc_now());

    const Read head = co_await read_head(parser);
    if (head == Read::kGone) co_return gone();
    if (head != Read::kDone) co_return co_await refuse_unread(request, head, "head");
    auto filled = fill_request(parser.get(), request);
    if (!filled) {
      Response response = context_.dispatcher.refuse_unread(request, std::move(filled.error()));
      co_await write_answer(request, std::move(response), false);
      co_return false;
    }
    request.websocket = is_websocket_upgrade(request);
    const bool keep_alive = parser.get().keep_alive();

    std::optional<Response> refused = context_.dispatcher.admit(request);
    const bool discards = refused && parser.content_length().value_or(0) <= kDiscardBytes;
    if (refused) {
      parser.body_limit(kDiscardBytes);
    } else if (request.body_limit) {
      parser.body_limit(std::min<std::uint64_t>(*request.body_limit, context_.limits.body_bytes));
    }
    const bool expects = equals_ignoring_case(request.header("expect"), "100-continue");
    if (expects && !refused && !parser.is_done()) {
      const bool told = co_await transport_->write("HTTP/1.1 100 Continue\r\n\r\n");
      if (!told) co_return gone();
    }
    // A refused client that waits for "100 Continue" sends no body; a large one is not read for
    // nothing.
    Read body = Read::kBad;
    if (!refused || (discards && !expects)) body = co_await read_body(parser);
    if (body == Read::kGone) co_return gone();
    if (refused) {
      const bool again = keep_alive && body == Read::kDone;
      const bool sent = co_await write_answer(request, std::move(*refused), again);
      co_return sent&& again;
    }
    if (body != Read::kDone) co_return co_await refuse_unread(request, body, "body");
    request.body = std::move(parser.get().body());
    co_return co_await answer(request, keep_alive);
  }

  Task<bool> answer(Request& request, bool keep_alive) {
    Response response = co_await context_.dispatcher.handle(request);
    if (response.stream) {
      co_await run_stream(request, std::move(response));
      co_return gone();
    }
    const bool again = keep_alive && !context_.active.stopping();
    if (response.parts) {
      const bool whole = co_await write_parts(request, std::move(response), again);
      co_return whole&& again;
    }
    const bool sent = co_await write_answer(request, std::move(response), again);
    co_return sent&& again;
  }

  Task<Read> read_head(Parser& parser) {
    deadline_.arm(buffer_.size() > 0 ? context_.limits.header : context_.limits.idle);
    while (!parser.is_header_done()) {
      if (buffer_.size() > 0) {
        if (std::exchange(entry_.idle, false)) deadline_.arm(context_.limits.header);
        const Read parsed = feed(parser);
        if (parsed == Read::kBad) co_return parsed;
        if (parser.is_header_done()) break;
      }
      const bool more = co_await read_more();
      if (!more) co_return entry_.idle || !deadline_.expired() ? Read::kGone : Read::kSlow;
    }
    deadline_.disarm();
    co_return Read::kDone;
  }

  Task<Read> read_body(Parser& parser) {
    deadline_.arm(context_.limits.body);
    while (!parser.is_done()) {
      if (buffer_.size() > 0) {
        const std::size_t before = buffer_.size();
        const Read parsed = feed(parser);
        if (parsed == Read::kBad) co_return parsed;
        if (parser.is_done()) break;
        if (buffer_.size() > 0 && buffer_.size() < before) continue;
      }
      const bool more = co_await read_more();
      if (!more) co_return deadline_.expired() ? Read::kSlow : Read::kGone;
    }
    deadline_.disarm();
    co_return Read::kDone;
  }

  // Gives the parser what was read. kBad: error_ says why.
  Read feed(Parser& parser) {
    error_ = {};
    const std::size_t used = parser.put(buffer_.data(), error_);
    buffer_.consume(used);
    if (error_ == http::error::need_more) error_ = {};
    return error_ ? Read::kBad : Read::kDone;
  }

  Task<bool> read_more() {
    const std::size_t size = co_await transport_->read(buffer_.prepare(kReadSize));
    buffer_.commit(size);
    co_return size > 0;
  }

  Task<bool> refuse_unread(const Request& request, Read why, std::string_view part) {
    Problem problem =
        why == Read::kSlow
            ? Problem(408, "request_timeout", fmt::format("The {} did not arrive in time.", part))
            : parse_problem(error_, request);
    Response response = context_.dispatcher.refuse_unread(request, std::move(problem));
    co_await write_answer(request, std::move(response), false);
    co_return false;
  }

  Task<bool> write_answer(const Request& request, Response response, bool keep_alive) {
    const std::string_view content = response.content();
    const bool has_body = response.status != 204 && response.status != 304;
    std::string head = head_of(response);
    if (has_body) head += fmt::format("Content-Length: {}\r\n", content.size());
    head += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
    const bool send_body = has_body && request.method != "HEAD";
    deadline_.arm(context_.limits.write);
    if (send_body && content.size() <= kSmallBody) head += content;
    bool sent = co_await transport_->write(head);
    if (sent && send_body && content.size() > kSmallBody)
      sent = co_await transport_->write(content);
    deadline_.disarm();
    if (!sent) gone_ = true;
    co_return sent;
  }

  Task<bool> write_parts(const Request& request, Response response, bool keep_alive) {
    std::string text = head_of(response) + "Transfer-Encoding: chunked\r\n";
    text += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
    bool more = request.method != "HEAD";
    bool sent = true;
    while (sent && more) {
      auto part = co_await response.parts();
      if (!part) co_return gone();
      more = part->has_value();
      // A chunk of no length would be the end.
      if (more && !(*part)->empty()) text += fmt::format("{:x}\r\n{}\r\n", (*part)->size(), **part);
      if (!more) text += "0\r\n\r\n";
      deadline_.arm(context_.limits.write);
      sent = co_await transport_->write(text);
      deadline_.disarm();
      text.clear();
    }
    if (sent && !text.empty()) sent = co_await transport_->write(text);
    if (!sent) gone_ = true;
    co_return sent;
  }

  std::string head_of(const Response& response) const {
    std::string head =
        fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, status_text(response.status),
                    http_date(context_.runtime.clock().utc_now()));
    for (const auto& [name, value] : response.headers)
      head += fmt::format("{}: {}\r\n", name, value);
    return head;
  }

  Task<void> run_stream(Request& request, Response response) {
    std::shared_ptr<EventChannel> channel;
    if (request.websocket) {
      std::string rest(static_cast<const char*>(buffer_.data().data()), buffer_.size());
      channel = co_await accept_websocket(transport_, request, response.headers, std::move(rest),
                                          context_.limits.message_bytes);
    } else {
      std::string head = head_of(response) + "Transfer-Encoding: chunked\r\n\r\n";
      const bool sent = co_await transport_->write(head);
      if (sent) channel = make_event_source(transport_);
    }
    if (!channel) co_return;
    handed_over_ = request.websocket;
    entry_.channel = channel.get();
    co_await response.stream(*channel);
    entry_.channel = nullptr;
    channel->close(kGoingAway, "");
  }

  // Lets the client read the last answer before the connection goes: closing with unread bytes
  // would cut it off.
  Task<void> linger() {
    deadline_.arm(kLinger);
    co_await transport_->finish();
    std::size_t discarded = 0;
    while (discarded < kLingerBytes && !deadline_.expired()) {
      buffer_.clear();
      const std::size_t size = co_await transport_->read(buffer_.prepare(kReadSize));
      if (size == 0) break;
      discarded += size;
    }
    deadline_.disarm();
  }

  bool gone() {
    gone_ = true;
    return false;
  }

  HttpContext& context_;
  std::shared_ptr<Transport> transport_;
  Deadline deadline_;
  ActiveConnections::Entry entry_;
  boost::beast::flat_buffer buffer_;
  error_code error_;
  bool gone_ = false;
  bool handed_over_ = false;
};

}  // namespace

void ActiveConnections::stop() {
  stopping_ = true;
  for (Entry* entry : entries_) {
    if (entry->channel) {
      entry->channel->close(kGoingAway, "The hub stops.");
    } else if (entry->idle) {
      entry->transport->close();
    }
  }
}

void ActiveConnections::close_all() {
  stopping_ = true;
  for (Entry* entry : entries_) entry->transport->close();
}

Task<void> serve_http(HttpContext& context, std::shared_ptr<Transport> transport) {
  HttpConnection connection(context, std::move(transport));
  co_await connection.run();
}

}  // namespace tributary::api
