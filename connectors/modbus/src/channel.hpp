// One request, one answer: what a session asks its questions through, whatever carries them.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "connectors/modbus/src/codec.hpp"
#include "runtime/task.hpp"

namespace tributary::connectors::modbus {

// What becomes of the channel when an answer does not come in time.
enum class Timeout : std::uint8_t {
  kEnds,  // the channel is over
  kKeeps  // it can be used on: other units may be asked, and a late answer is recognised
};

struct Ask {
  std::uint8_t unit = 1;
  Request request;  // its data must live until the answer came
  SteadyTime deadline;
  Timeout timeout = Timeout::kEnds;
  bool urgent = false;  // a write: goes before what else waits for a shared line
};

// Several requests on their way at once. Of channels whose answers carry the id of their request.
class Pipeline {
 public:
  virtual ~Pipeline() = default;
  // How many may be on their way; at least 1.
  virtual std::size_t window() const = 0;
  // Sends, and gives the ticket to receive() with. Errors: as Channel::exchange.
  virtual Task<Result<std::uint16_t>> send(Ask ask) = 0;
  // The answer to a ticket; others that come first are kept. Errors: as Channel::exchange.
  virtual Task<Result<Reply>> receive(std::uint16_t ticket) = 0;
  // Asks a unit that does not answer, without waiting: what comes is told by answered_late().
  virtual Task<Result<void>> probe(std::uint8_t unit, const Request& request,
                                   SteadyTime deadline) = 0;
};

// Lives on the session's executor; one exchange at a time. After an error that ends it every later
// exchange fails.
class Channel {
 public:
  virtual ~Channel() = default;

  // Sends a request and waits for its answer. The reply is kOk or kException; its data is valid
  // until the next exchange. Errors: those of net::Stream (kTransient "timeout" among them);
  // kTransient "protocol_error" for an answer that is not Modbus or does not fit the request;
  // kTransient "garbled_answer" (as a time-out: what came on a line had a wrong checksum). A write
  // that may have reached the device has outcome_unknown set. Answers to earlier requests are
  // dropped and counted: their values belong to another question.
  virtual Task<Result<Reply>> exchange(Ask ask) = 0;

  virtual void abort() noexcept = 0;
  virtual void close() noexcept = 0;
  virtual const std::string& peer() const = 0;
  // Null where one request at a time is all there is.
  virtual Pipeline* pipeline() { return nullptr; }
  // How many time-outs in a row mean that nobody is there, where nothing else is known: 1 where the
  // network keeps its promises, more where a datagram or a byte may get lost.
  virtual std::size_t patience() const { return 1; }
  // Answers that came too late or twice.
  virtual std::uint64_t discarded() const = 0;
};

// Whether an error says only that this unit gave no answer that can be used.
inline bool is_silence(const Error& error) {
  return error.code == "timeout" || error.code == "garbled_answer";
}

}  // namespace tributary::connectors::modbus
