// JavaScript outside of the hub: a pool of sandboxed worker processes (QuickJS, seccomp, rlimits,
// no files, no sockets), fed in batches and killed by the wall clock. A script is text from a
// person: it can fail, loop, eat memory or try to get out; the hub only ever waits for a reply with
// a deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/json.hpp"
#include "runtime/runtime.hpp"

namespace tributary::script {

// Source text, checked. Same text, same id.
struct Source {
  enum class Kind : std::uint8_t {
    kExpression,  // the inside of {{ }}: an expression over the names of a call
    kFunction,    // the body of a function (record) → record, list of records, or nothing
  };
  Kind kind = Kind::kExpression;
  std::string text;
  friend auto operator<=>(const Source&, const Source&) = default;
};

// The names for one record. What is null is undefined.
struct Names {
  Json input;     // $input
  Json trigger;   // $trigger
  Json item;      // $item
  Json run;       // $run
  Json pipeline;  // $pipeline
  Json env;       // $env
  Json nodes;     // $node("…"): an object by name
  std::int64_t index = 0;
  std::string now;
};

struct Limits {
  Duration cpu{std::chrono::milliseconds{100}};  // of one record; the wall clock gives twice that
  std::size_t memory_bytes = 32U << 20;
  std::size_t stack_bytes = 256U << 10;
  std::size_t output_bytes = 4U << 20;  // of one record
};

// What one record gave.
struct Outcome {
  std::optional<Json> value;     // nullopt: undefined
  std::vector<std::string> log;  // console.log, bounded
};

struct Problem {
  std::string message;
  int line = 0;  // from 1; 0 when unknown
  int column = 0;
};

// Any executor.
class Scripts {
 public:
  // `program`: this binary; workers are `program script-worker`. Workers start when they are
  // needed, and end when they were idle for a while.
  Scripts(Runtime& runtime, std::string program, std::size_t workers);
  ~Scripts();
  Scripts(const Scripts&) = delete;
  Scripts& operator=(const Scripts&) = delete;

  // Whether the text is JavaScript, without running it. Error: kConfiguration "invalid_expression"
  // | "invalid_script" with line and column in the message.
  Task<Result<void>> check(Source source, Limits limits = {});

  // Evaluates several sources over several records: result[record][source]. One that fails does
  // not stop the others; when a worker had to be killed, the record it was at fails with
  // "script_timeout" or "script_out_of_memory", and the rest goes on in another worker. Errors of
  // records: kFunction "script_failed" (message with line and column), "script_timeout",
  // "script_out_of_memory", "script_output_too_large". Error of the call: kInternal
  // "script_unavailable".
  using Results = std::vector<std::vector<Result<Outcome>>>;
  Task<Result<Results>> run(std::vector<Source> sources, std::vector<Names> records,
                            Limits limits = {});

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tributary::script
