// QuickJS in a worker: sources are compiled once, each set of sources has a context of its own
// whose built-ins are frozen, so that nothing a script does is there for the next record or the
// next pipeline. There is no eval and no Function("…") in these contexts: they cannot compile.
#pragma once

#include <quickjs/quickjs.h>

#include <expected>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "script/frames.hpp"
#include "script/worker/values.hpp"

namespace tributary::script {

// What QuickJS holds, counted as it allocates.
struct Memory {
  std::size_t limit = SIZE_MAX;  // of `used`
  std::size_t used = 0;
  bool refused = false;  // an allocation did not fit since this was cleared
};

class JavaScript {
 public:
  // Error: why QuickJS, or what is run first in each context, does not work here.
  static std::expected<std::unique_ptr<JavaScript>, std::string> make();
  ~JavaScript();
  JavaScript(const JavaScript&) = delete;
  JavaScript& operator=(const JavaScript&) = delete;

  std::optional<Failure> check(Source::Kind kind, std::string_view text, const Request& limits);

  // Compiles and prepares what a request needs. Before its records.
  void prepare(const Request& request);
  // Evaluates all sources for one record; appends the outcomes (count first) to `out`.
  void evaluate(const Request& request, const RecordRequest& record, std::string& out);

  // Something is left that a new process does not have: jobs that never end, memory that does not
  // come back.
  bool must_retire() const { return must_retire_; }

  // ---- for the functions that scripts call ----
  struct Current {
    const Request* request = nullptr;
    const RecordRequest* record = nullptr;
    std::vector<JSValue> nodes;  // by place in record->nodes; uninitialized until asked for
    std::vector<std::string> log;
    std::size_t log_bytes = 0;
  };
  Current& current() { return current_; }
  // A document of the request; undefined for 0.
  JSValue document(JSContext* context, std::size_t place) const;
  JSValue node(JSContext* context, std::string_view name);
  void log(std::string line);
  const ClassIds& classes() const { return classes_; }

 private:
  struct Compiled {
    std::string bytecode;
    std::uint32_t names = 0;  // bits of the parameters that the text mentions
    bool awaits = false;
    std::optional<Failure> failure;
  };
  struct Function {
    JSValue function = JS_UNDEFINED;
    std::uint32_t names = 0;
    bool awaits = false;
    std::optional<Failure> failure;
  };
  struct Group {
    std::string key;
    JSContext* context = nullptr;
    std::vector<Function> functions;
  };

  JavaScript() = default;
  Compiled compile(Source::Kind kind, std::string_view text);
  bool compile_text(const std::string& text, std::string* bytecode, Failure& failure,
                    std::string_view source);
  // Null: `why` says why not.
  JSContext* make_context(std::string& why);
  bool find_classes(JSContext* context);
  void forget(Group& group);
  Failure failure_of(JSContext* context, std::string_view source);
  Failure limit_failure() const;
  // The value of a call; runs the jobs that promises need.
  JSValue settle(JSContext* context, JSValue value);
  void evaluate_one(Group& group, const Function& function, std::string_view source,
                    wire::Writer& writer);
  std::optional<Failure> write_result(Group& group, JSValueConst value, std::string_view source,
                                      wire::Writer& writer);
  void call_arguments(JSContext* context, std::uint32_t names, std::vector<JSValue>& arguments);
  void clean_up(JSContext* context);
  void limit(const Request& request);

  Memory memory_;
  JSRuntime* runtime_ = nullptr;
  JSContext* compiler_ = nullptr;
  std::string bootstrap_;  // bytecode
  ClassIds classes_;
  std::list<Group> groups_;  // the one used last in front
  Group* group_ = nullptr;   // of the request
  std::size_t idle_memory_ = 0;
  Current current_;
  bool must_retire_ = false;
};

// The native half of $fn, console, $node: an object that the bootstrap wraps and hides.
JSValue make_natives(JSContext* context);
bool register_node_class(JSRuntime* runtime);
JSValue make_node_access(JSContext* context);
// The script that builds the names, and freezes everything.
std::string_view bootstrap_source();

}  // namespace tributary::script
