// What curl's results mean.
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "http/encoding.hpp"
#include "http/transfer.hpp"

namespace tributary::http {
namespace {

std::string peer_of(const Transfer& transfer) {
  return fmt::format("{}:{}", transfer.target.host, transfer.target.port);
}

std::string pointer_of(const Transfer& transfer) {
  return transfer.options ? transfer.options->pointer : std::string();
}

std::string_view protocol_of(const Transfer& transfer) {
  return transfer.mail ? "SMTP" : "HTTP";
}

long number(const Transfer& transfer, CURLINFO info) {
  long value = 0;
  curl_easy_getinfo(transfer.easy, info, &value);
  return value;
}

Error cannot_connect(const Transfer& transfer) {
  const std::string peer = peer_of(transfer);
  if (number(transfer, CURLINFO_OS_ERRNO) == ECONNREFUSED) {
    return Error(ErrorClass::kTransient, "connection_refused",
                 fmt::format("{} refused the connection.", peer),
                 "Is the receiver running, and is the port right?");
  }
  return Error(ErrorClass::kTransient, "unreachable", fmt::format("{} cannot be reached.", peer),
               "Check the network between the hub and the receiver.");
}

Error cut(const Transfer& transfer, CURLcode code) {
  const std::string peer = peer_of(transfer);
  const long number_of = number(transfer, CURLINFO_OS_ERRNO);
  if (number_of == ECONNRESET || number_of == EPIPE) {
    return Error(ErrorClass::kTransient, "connection_reset",
                 fmt::format("{} reset the connection.", peer),
                 "Its own log should say why; it is tried again.");
  }
  return Error(ErrorClass::kTransient, "connection_closed",
               fmt::format("{} ended the exchange: {}.", peer, curl_easy_strerror(code)),
               fmt::format("Does it speak {} on this port?", protocol_of(transfer)));
}

Error not_understood(const Transfer& transfer) {
  return Error(
      ErrorClass::kTransient, "protocol_error",
      fmt::format("{} answered with something that is not {}.", peer_of(transfer),
                  protocol_of(transfer)),
      fmt::format("Does it speak {} on this port, and with or without TLS as it is set here?",
                  protocol_of(transfer)),
      pointer_of(transfer));
}

Error too_much(const Transfer& transfer) {
  const std::string peer = peer_of(transfer);
  std::string what;
  switch (transfer.excess) {
    case Transfer::Excess::kRatio:
      what = fmt::format("The answer of {} unpacks to more than {} times its size.", peer,
                         kMaxUnpackRatio);
      break;
    case Transfer::Excess::kBody:
      what = fmt::format("The answer of {} is longer than {} KiB.", peer,
                         transfer.max_answer() / 1024);
      break;
    case Transfer::Excess::kHeaders:
    case Transfer::Excess::kNone:
      what = fmt::format("The answer of {} has more than {} header lines or {} KiB of them.", peer,
                         kMaxHeaderLines, kMaxHeaderBytes / 1024);
      break;
  }
  return Error(ErrorClass::kFunction, "answer_too_large", std::move(what),
               transfer.options ? "Ask for less at a time."
                                : "The receiver should answer with a short text or nothing.");
}

// Without a channel the trust of this machine decides.
Error plain_tls_error(const Transfer& transfer, CURLcode code) {
  const std::string peer = peer_of(transfer);
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR) {
    return Error(ErrorClass::kTrust, "certificate_not_trusted",
                 fmt::format("The certificate of {} is not trusted.", peer),
                 "Add its authority to the certificates of this machine, or correct the host "
                 "name.");
  }
  return Error(ErrorClass::kTransient, "tls_failed",
               fmt::format("{} did not complete the TLS handshake.", peer),
               "Does it speak https on this port?");
}

Error no_login(const Transfer& transfer) {
  return Error(ErrorClass::kConfiguration, "login_not_offered",
               fmt::format("{} offers no way to log in that the hub knows.", peer_of(transfer)),
               "Remove the user name, or use the port for clients (usually 587).",
               "/settings/username");
}

// What the last reply of the server said, when that is why the mail was not sent.
std::optional<Error> mail_error(const Transfer& transfer, CURLcode code) {
  if (!transfer.mail) return std::nullopt;
  const std::string peer = peer_of(transfer);
  const int reply = transfer.answer.status;
  if (code == CURLE_USE_SSL_FAILED) {
    return Error(ErrorClass::kConfiguration, "tls_not_offered",
                 fmt::format("{} does not offer STARTTLS: nothing was sent.", peer),
                 "Use the port that does (usually 587), or TLS from the first byte (usually 465).",
                 "/settings/security");
  }
  const std::string said =
      fmt::format("{} answered {} {}", peer, reply, excerpt(transfer.answer.body));
  const bool refused_login = reply == 530 || reply == 534 || reply == 535 || reply == 538;
  if (code == CURLE_LOGIN_DENIED && reply < 400) return no_login(transfer);
  if (refused_login || (code == CURLE_LOGIN_DENIED && reply >= 500)) {
    return Error(ErrorClass::kIdentity, "not_authorized", said,
                 "Check the user name and the password; some providers want a password made for "
                 "this program.",
                 "/secrets/password");
  }
  if (reply >= 400 && reply < 500)
    return Error(ErrorClass::kBusy, "server_busy", said, "It is tried again later.");
  if (reply >= 500 && reply < 600) {
    return Error(ErrorClass::kFunction, "mail_refused", said,
                 "Check the addresses, and whether the server accepts mail of this size and from "
                 "this sender.");
  }
  return std::nullopt;
}

bool during_handshake(const Transfer& transfer) {
  if (!transfer.tls) return false;
  curl_off_t done = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_APPCONNECT_TIME_T, &done);
  return done == 0;
}

Error error_of(const Transfer& transfer, CURLcode code) {
  if (transfer.failure) return *transfer.failure;
  if (transfer.excess != Transfer::Excess::kNone) return too_much(transfer);
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Error(ErrorClass::kTransient, "timeout",
                 fmt::format("{} did not answer in time.", peer_of(transfer)),
                 "Is the receiver overloaded, or is a firewall dropping the packets?");
  }
  if (code == CURLE_COULDNT_CONNECT) return cannot_connect(transfer);
  if (auto said = mail_error(transfer, code)) return *std::move(said);
  if (transfer.tls) {
    if (during_handshake(transfer)) return transfer.tls->broken(peer_of(transfer));
    if (auto alert = transfer.tls->alert(peer_of(transfer))) return *std::move(alert);
  }
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
      return plain_tls_error(transfer, code);
    case CURLE_WRITE_ERROR:
    case CURLE_OUT_OF_MEMORY:  // how curl calls a header line without end
      return too_much(transfer);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return not_understood(transfer);
    default:
      return cut(transfer, code);
  }
}

// Whether the peer may have done what it was asked for.
bool may_have_happened(const Transfer& transfer, CURLcode code) {
  if (transfer.mail) {
    // Only a mail whose end was sent is a mail; a reply to it would be an answer.
    return transfer.given > 0 && transfer.given == transfer.mail->message.size() &&
           transfer.answer.status < 400;
  }
  if (transfer.repeat_refused) return true;
  if (code == CURLE_COULDNT_CONNECT || during_handshake(transfer)) return false;
  return number(transfer, CURLINFO_REQUEST_SIZE) > 0 && !is_idempotent(transfer.request.method);
}

}  // namespace

Result<Answer> result_of(Transfer& transfer, int result) {
  const auto code = static_cast<CURLcode>(result);
  if (transfer.certificate && transfer.tls && transfer.tls->shown() != nullptr)
    transfer.certificate(*transfer.tls->shown());
  if (code == CURLE_OK) {
    // curl goes on without a login when none is offered: a new connection must not look good then.
    const bool asked = transfer.mail && transfer.mail->recipients.empty() && transfer.options &&
                       !transfer.options->username.empty();
    if (asked && !transfer.logged_in && number(transfer, CURLINFO_NUM_CONNECTS) > 0)
      return fail(no_login(transfer));
    return finish_answer(transfer);
  }
  Error error = error_of(transfer, code);
  error.outcome_unknown = may_have_happened(transfer, code);
  return fail(std::move(error));
}

}  // namespace tributary::http
