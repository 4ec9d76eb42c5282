// One exchange on its way through curl: everything that curl looks at lives here until it is over.
// For the files of this folder.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "http/channel.hpp"

struct curl_slist;

namespace tributary::http {

struct SlistDelete {
  void operator()(curl_slist* list) const;
};
using Slist = std::unique_ptr<curl_slist, SlistDelete>;

// What the connections of one channel have in common, on the loop's thread. Connections point to
// it: it goes after them.
struct Pool {
  Pool();
  // Closes the connections that are kept.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void* share = nullptr;  // CURLSH
  std::set<int> sockets;  // open
};

struct Transfer {
  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  // ---- the order ----
  Request request;  // or
  std::optional<Mail> mail;
  Target target;
  std::vector<std::string> addresses;  // checked; others are not connected to
  SteadyTime deadline;
  UtcTime utc;
  std::uint64_t channel = 0;                      // 0: none, one connection for one request
  std::shared_ptr<const ChannelOptions> options;  // null: none
  std::function<void(std::string_view stage)> stage;
  std::function<void(const net::ShownCertificate& shown)> certificate;
  std::move_only_function<void(Result<Answer>)> done;

  // ---- what becomes of it ----
  enum class Excess : std::uint8_t { kNone, kBody, kHeaders, kRatio };
  void* easy = nullptr;  // CURL
  Pool* pool = nullptr;  // null: one connection for one request
  Slist headers;
  Slist resolve;
  Slist recipients;
  std::string url;
  Answer answer;
  std::unique_ptr<net::TlsClient> tls;  // of the connection that was made for it
  std::optional<Error> failure;         // met inside a callback
  Excess excess = Excess::kNone;
  std::size_t header_lines = 0;
  std::size_t header_bytes = 0;
  std::size_t given = 0;   // bytes of the mail that curl has taken
  bool sent = false;       // the request was given to a connection
  bool began = false;      // the answer to it has begun
  bool logged_in = false;  // SMTP: the login was accepted
  bool greeted = false;    // SMTP: EHLO was accepted
  bool repeat_refused = false;

  std::size_t max_answer() const { return options ? options->max_answer_bytes : kMaxAnswer; }
};

// Makes the easy handle. Error: kInternal "out_of_memory".
Result<void> prepare(Transfer& transfer, SteadyTime now);
// The answer of a transfer that went well.
Result<Answer> finish_answer(Transfer& transfer);
// What curl's result (a CURLcode) means for who asked.
Result<Answer> result_of(Transfer& transfer, int code);

}  // namespace tributary::http
