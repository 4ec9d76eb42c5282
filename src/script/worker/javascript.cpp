#include "script/worker/javascript.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "script/worker/budget.hpp"

namespace tributary::script {
namespace {

constexpr std::size_t kMaxGroups = 32;            // contexts that are kept
constexpr std::size_t kMaxLeftBehind = 4U << 20;  // memory beyond which a worker is replaced
constexpr std::size_t kCompilerStack = 512U << 10;
constexpr const char* kFile = "script";

// The parameters of every function, in this order.
constexpr std::array<std::string_view, 9> kNames = {
    "$input", "$items", "$trigger", "$item", "$run", "$pipeline", "$env", "$index", "$now"};
constexpr std::string_view kParameters =
    "$input,$items,$trigger,$item,$run,$pipeline,$env,$index,$now";

void* counted(JSMallocState* state, std::size_t size) {
  auto& memory = *static_cast<Memory*>(state->opaque);
  if (memory.used + size > memory.limit) {
    memory.refused = true;
    return nullptr;
  }
  void* made = std::malloc(size);
  if (made == nullptr) {
    memory.refused = true;
    return nullptr;
  }
  memory.used += malloc_usable_size(made);
  return made;
}

void uncounted(JSMallocState* state, void* pointer) {
  if (pointer == nullptr) return;
  static_cast<Memory*>(state->opaque)->used -= malloc_usable_size(pointer);
  std::free(pointer);
}

void* recounted(JSMallocState* state, void* pointer, std::size_t size) {
  if (pointer == nullptr) return size == 0 ? nullptr : counted(state, size);
  auto& memory = *static_cast<Memory*>(state->opaque);
  const std::size_t before = malloc_usable_size(pointer);
  if (size == 0) {
    uncounted(state, pointer);
    return nullptr;
  }
  if (size > before && memory.used + (size - before) > memory.limit) {
    memory.refused = true;
    return nullptr;
  }
  void* made = std::realloc(pointer, size);
  if (made == nullptr) {
    memory.refused = true;
    return nullptr;
  }
  memory.used += malloc_usable_size(made) - before;
  return made;
}

std::size_t usable(const void* pointer) {
  return pointer == nullptr ? 0 : malloc_usable_size(const_cast<void*>(pointer));
}

constexpr JSMallocFunctions kAllocator = {&counted, &uncounted, &recounted, &usable};

int interrupted(JSRuntime*, void*) {
  return budget::spent() ? 1 : 0;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$';
}

bool has_word(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool before = at > 0 && is_word(text[at - 1]);
    const std::size_t end = at + word.size();
    if (!before && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

// Names that the text does not mention need not be made. An escape could hide one.
std::uint32_t names_in(std::string_view text) {
  if (text.find("\\u") != std::string_view::npos ||
      text.find("arguments") != std::string_view::npos) {
    return ~0U;
  }
  std::uint32_t names = 0;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (has_word(text, kNames[i])) names |= 1U << i;
  }
  return names;
}

std::string property_text(JSContext* context, JSValueConst object, const char* name) {
  const Held value(context, JS_GetPropertyStr(context, object, name));
  std::string text;
  if (JS_IsString(value.get()) && to_text(context, value.get(), text)) return text;
  if (JS_HasException(context)) JS_FreeValue(context, JS_GetException(context));
  return {};
}

struct Place {
  int line = 0;
  int column = 0;
};

// The innermost "script:line:column" of a stack trace.
Place place_in(std::string_view stack) {
  constexpr std::string_view kMark = "script:";
  const auto at = stack.find(kMark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = stack.substr(at + kMark.size());
  Place place;
  const auto line = std::from_chars(rest.data(), rest.data() + rest.size(), place.line);
  if (line.ec != std::errc{}) return {};
  const char* column = line.ptr;
  if (column < rest.data() + rest.size() && *column == ':') {
    std::from_chars(column + 1, rest.data() + rest.size(), place.column);
  }
  return place;
}

// From the wrapped text to the person's: one line is in front. What is reported behind the end is
// at the end.
Place own_place(Place place, std::string_view source) {
  if (place.line == 0) return {};
  place.line = std::max(place.line - 1, 1);
  const auto lines = static_cast<int>(std::count(source.begin(), source.end(), '\n')) + 1;
  if (place.line <= lines) return place;
  const auto last = source.rfind('\n');
  const std::string_view tail = last == std::string_view::npos ? source : source.substr(last + 1);
  const auto characters = std::count_if(tail.begin(), tail.end(), [](char c) {
    return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
  });
  return {lines, static_cast<int>(characters) + 1};
}

}  // namespace

std::expected<std::unique_ptr<JavaScript>, std::string> JavaScript::make() {
  std::unique_ptr<JavaScript> made(new JavaScript());
  made->runtime_ = JS_NewRuntime2(&kAllocator, &made->memory_);
  if (made->runtime_ == nullptr) return std::unexpected("there is no memory");
  JS_SetRuntimeOpaque(made->runtime_, made.get());
  JS_SetInterruptHandler(made->runtime_, &interrupted, nullptr);
  JS_SetMaxStackSize(made->runtime_, kCompilerStack);
  made->compiler_ = JS_NewContextRaw(made->runtime_);
  if (made->compiler_ == nullptr || !register_node_class(made->runtime_)) {
    return std::unexpected("there is no memory");
  }
  JS_AddIntrinsicBaseObjects(made->compiler_);
  JS_AddIntrinsicEval(made->compiler_);
  JS_AddIntrinsicRegExpCompiler(made->compiler_);
  JS_AddIntrinsicRegExp(made->compiler_);
  Failure failure;
  const std::string source(bootstrap_source());
  if (!made->compile_text(source, &made->bootstrap_, failure, source)) {
    return std::unexpected(failure.message);
  }
  std::string why;
  JSContext* first = made->make_context(why);
  if (first == nullptr) return std::unexpected(why);
  JS_FreeContext(first);
  return made;
}

JavaScript::~JavaScript() {
  // The process ends with it: what scripts left behind would only stand in the way.
}

bool JavaScript::compile_text(const std::string& text, std::string* bytecode, Failure& failure,
                              std::string_view source) {
  constexpr int kFlags = JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY | JS_EVAL_FLAG_STRICT;
  const Held made(compiler_, JS_Eval(compiler_, text.c_str(), text.size(), kFile, kFlags));
  if (JS_IsException(made.get())) {
    failure = failure_of(compiler_, source);
    return false;
  }
  if (bytecode == nullptr) return true;
  std::size_t size = 0;
  std::uint8_t* bytes = JS_WriteObject(compiler_, &size, made.get(), JS_WRITE_OBJ_BYTECODE);
  if (bytes == nullptr) {
    failure = failure_of(compiler_, source);
    return false;
  }
  bytecode->assign(reinterpret_cast<const char*>(bytes), size);
  js_free(compiler_, bytes);
  return true;
}

JavaScript::Compiled JavaScript::compile(Source::Kind kind, std::string_view text) {
  Compiled compiled;
  compiled.names = names_in(text);
  const bool expression = kind == Source::Kind::kExpression;
  compiled.awaits = !expression && has_word(text, "await");
  const std::string_view async = compiled.awaits ? "async " : "";
  // Wrapped twice in different brackets: text that closes the one does not close the other.
  const std::string wrapped =
      expression ? fmt::format("(function({}){{return (\n{}\n)}})", kParameters, text)
                 : fmt::format("({}function({}){{\n{}\n}})", async, kParameters, text);
  const std::string again =
      expression ? fmt::format("(function({}){{return [\n{}\n]}})", kParameters, text)
                 : fmt::format("(class{{{}m({}){{\n{}\n}}}})", async, kParameters, text);
  Failure failure;
  if (!compile_text(wrapped, &compiled.bytecode, failure, text) ||
      !compile_text(again, nullptr, failure, text)) {
    compiled.failure = std::move(failure);
  }
  return compiled;
}

std::optional<Failure> JavaScript::check(Source::Kind kind, std::string_view text,
                                         const Request& limits) {
  limit(limits);
  JS_SetMaxStackSize(runtime_, kCompilerStack);
  auto failure = compile(kind, text).failure;
  memory_.limit = SIZE_MAX;
  return failure;
}

JSContext* JavaScript::make_context(std::string& why) {
  JSContext* context = JS_NewContextRaw(runtime_);
  if (context == nullptr) return nullptr;
  // No Eval: nothing in here can compile. No WeakRef: finalizers would run in somebody else's time.
  JS_AddIntrinsicBaseObjects(context);
  JS_AddIntrinsicDate(context);
  JS_AddIntrinsicStringNormalize(context);
  JS_AddIntrinsicRegExpCompiler(context);
  JS_AddIntrinsicRegExp(context);
  JS_AddIntrinsicJSON(context);
  JS_AddIntrinsicProxy(context);
  JS_AddIntrinsicMapSet(context);
  JS_AddIntrinsicTypedArrays(context);
  JS_AddIntrinsicPromise(context);
  if (!find_classes(context)) {
    JS_FreeContext(context);
    return nullptr;
  }
  JSValue read = JS_ReadObject(context, reinterpret_cast<const std::uint8_t*>(bootstrap_.data()),
                               bootstrap_.size(), JS_READ_OBJ_BYTECODE);
  const Held function(context, JS_EvalFunction(context, read));
  const Held natives(context, make_natives(context));
  const Held access(context, make_node_access(context));
  std::array<JSValueConst, 2> arguments = {natives.get(), access.get()};
  const Held done(context, JS_Call(context, function.get(), JS_UNDEFINED, 2, arguments.data()));
  if (!JS_IsException(done.get())) return context;
  why = failure_of(context, bootstrap_source()).message;
  return nullptr;  // the worker ends
}

bool JavaScript::find_classes(JSContext* context) {
  const Held object(context, JS_NewObject(context));
  const Held array(context, JS_NewArray(context));
  const Held date(context, JS_NewDate(context, 0));
  std::array<JSValueConst, 3> length = {JS_NewInt32(context, 0), JS_UNDEFINED, JS_UNDEFINED};
  const Held first(context, JS_NewTypedArray(context, 3, length.data(), JS_TYPED_ARRAY_UINT8C));
  const Held last(context, JS_NewTypedArray(context, 3, length.data(), JS_TYPED_ARRAY_FLOAT64));
  classes_ = {JS_GetClassID(object.get()), JS_GetClassID(array.get()), JS_GetClassID(date.get()),
              JS_GetClassID(first.get()), JS_GetClassID(last.get())};
  return JS_IsObject(last.get());
}

void JavaScript::forget(Group& group) {
  for (const Function& function : group.functions) {
    JS_FreeValue(group.context, function.function);
  }
  JS_FreeContext(group.context);
}

void JavaScript::limit(const Request& request) {
  memory_.limit = memory_.used + request.memory_bytes;
  memory_.refused = false;
}

void JavaScript::prepare(const Request& request) {
  const auto known = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
    return group.key == request.sources_bytes;
  });
  limit(request);
  if (known != groups_.end()) {
    groups_.splice(groups_.begin(), groups_, known);
  } else {
    if (groups_.size() >= kMaxGroups) {
      forget(groups_.back());
      groups_.pop_back();
    }
    JS_SetMaxStackSize(runtime_, kCompilerStack);
    Group& group = groups_.emplace_front();
    group.key = request.sources_bytes;
    // The built-ins are not the script's memory.
    std::string why;
    memory_.limit = SIZE_MAX;
    group.context = make_context(why);
    if (group.context == nullptr) std::_Exit(1);
    limit(request);
    for (const auto& [kind, text] : request.sources) {
      Compiled compiled = compile(kind, text);
      Function& function = group.functions.emplace_back();
      function.names = compiled.names;
      function.awaits = compiled.awaits;
      function.failure = std::move(compiled.failure);
      if (function.failure) continue;
      JSValue read = JS_ReadObject(group.context,
                                   reinterpret_cast<const std::uint8_t*>(compiled.bytecode.data()),
                                   compiled.bytecode.size(), JS_READ_OBJ_BYTECODE);
      function.function = JS_EvalFunction(group.context, read);
      if (JS_IsException(function.function)) function.failure = failure_of(group.context, text);
    }
  }
  group_ = &groups_.front();
  JS_SetMaxStackSize(runtime_, request.stack_bytes);
  idle_memory_ = memory_.used;
  limit(request);
}

JSValue JavaScript::document(JSContext* context, std::size_t place) const {
  if (place == 0) return JS_UNDEFINED;
  wire::Reader reader(current_.request->documents[place - 1]);
  return read_value(context, reader);
}

JSValue JavaScript::node(JSContext* context, std::string_view name) {
  const auto& nodes = current_.record->nodes;
  current_.nodes.resize(nodes.size(), JS_UNINITIALIZED);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].first != name) continue;
    if (JS_IsUninitialized(current_.nodes[i])) {
      JSValue made = document(context, nodes[i].second);
      if (JS_IsException(made)) return made;
      current_.nodes[i] = made;
    }
    return JS_DupValue(context, current_.nodes[i]);
  }
  return JS_UNDEFINED;
}

void JavaScript::log(std::string line) {
  if (current_.log.size() >= kMaxLogLines || current_.log_bytes >= kMaxLogBytes) return;
  const std::size_t room = kMaxLogBytes - current_.log_bytes;
  if (line.size() > room) {
    std::size_t cut = room;
    while (cut > 0 && (static_cast<std::uint8_t>(line[cut]) & 0xC0) == 0x80) --cut;
    line.resize(cut);
  }
  current_.log_bytes += line.size();
  current_.log.push_back(std::move(line));
}

void JavaScript::call_arguments(JSContext* context, std::uint32_t names,
                                std::vector<JSValue>& arguments) {
  const RecordRequest& record = *current_.record;
  const std::array<std::size_t, 7> places = {record.input, record.items, record.trigger,
                                             record.item,  record.run,   record.pipeline,
                                             record.env};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    JSValue made = JS_UNDEFINED;
    if ((names & (1U << i)) != 0) {
      if (i < places.size()) made = document(context, places[i]);
      if (i == 7) made = JS_NewInt64(context, record.index);
      if (i == 8) made = JS_NewStringLen(context, record.now.data(), record.now.size());
    }
    arguments.push_back(made);
  }
}

JSValue JavaScript::settle(JSContext* context, JSValue value) {
  if (JS_IsException(value) || !JS_IsObject(value)) return value;
  if (static_cast<int>(JS_PromiseState(context, value)) < 0) return value;
  const Held promise(context, value);
  JSContext* ran = nullptr;
  while (JS_PromiseState(context, promise.get()) == JS_PROMISE_PENDING) {
    const int done = JS_ExecutePendingJob(runtime_, &ran);
    if (done < 0 || budget::spent()) return JS_Throw(context, JS_GetException(ran));
    if (done == 0) {
      return JS_ThrowTypeError(context,
                               "the promise is never settled: there is nothing to wait for");
    }
  }
  JSValue result = JS_PromiseResult(context, promise.get());
  if (JS_PromiseState(context, promise.get()) == JS_PROMISE_REJECTED) {
    return JS_Throw(context, result);
  }
  return result;
}

Failure JavaScript::limit_failure() const {
  if (budget::spent()) {
    return {FailureKind::kTimeout, "the script used up its CPU time", 0, 0};
  }
  return {FailureKind::kOutOfMemory, "the script needs more memory than it may have", 0, 0};
}

Failure JavaScript::failure_of(JSContext* context, std::string_view source) {
  const Held exception(context, JS_GetException(context));
  if (budget::spent()) return limit_failure();
  Failure failure;
  if (!JS_IsError(context, exception.get())) {
    if (memory_.refused && JS_IsNull(exception.get())) return limit_failure();
    std::string text;
    const Held shown(context,
                     JS_IsObject(exception.get())
                         ? JS_JSONStringify(context, exception.get(), JS_UNDEFINED, JS_UNDEFINED)
                         : JS_ToString(context, exception.get()));
    if (JS_IsException(shown.get()) || !to_text(context, shown.get(), text)) {
      JS_FreeValue(context, JS_GetException(context));
      text = "something that is no text";
    }
    failure.message = fmt::format("the script threw {}", text);
    return failure;
  }
  const std::string name = property_text(context, exception.get(), "name");
  const std::string message = property_text(context, exception.get(), "message");
  if (memory_.refused && name == "InternalError") return limit_failure();
  const std::string stack = property_text(context, exception.get(), "stack");
  failure.message = fmt::format("{}: {}", name.empty() ? "Error" : name, message);
  const Place place = own_place(place_in(stack), source);
  failure.line = place.line;
  failure.column = place.column;
  return failure;
}

std::optional<Failure> JavaScript::write_result(Group& group, JSValueConst value,
                                                std::string_view source, wire::Writer& writer) {
  const std::size_t limit = current_.request->output_bytes;
  switch (write_value(group.context, classes_, value, writer, limit)) {
    case Written::kDone:
      return std::nullopt;
    case Written::kException:
      return failure_of(group.context, source);
    case Written::kTooLarge:
      return Failure{FailureKind::kOutputTooLarge,
                     fmt::format("the result is larger than {} KiB", limit >> 10), 0, 0};
    case Written::kTooDeep:
      return Failure{FailureKind::kFailed,
                     fmt::format("the result is nested deeper than {} levels, or contains itself",
                                 kMaxJsonDepth),
                     0, 0};
  }
  return std::nullopt;
}

void JavaScript::evaluate_one(Group& group, const Function& function, std::string_view source,
                              wire::Writer& writer) {
  if (function.failure) {
    encode_failure(writer, *function.failure);
    return;
  }
  if (budget::spent()) {
    encode_failure(writer, limit_failure());
    return;
  }
  JSContext* context = group.context;
  const std::size_t start = writer.size();
  memory_.refused = false;
  std::vector<JSValue> arguments;
  call_arguments(context, function.names, arguments);
  std::optional<Failure> failure;
  {
    const bool ready = std::none_of(arguments.begin(), arguments.end(),
                                    [](JSValue v) { return JS_IsException(v) != 0; });
    const Held value(
        context,
        ready ? settle(context, JS_Call(context, function.function, JS_UNDEFINED,
                                        static_cast<int>(arguments.size()), arguments.data()))
              : JS_EXCEPTION);
    if (JS_IsException(value.get())) {
      failure = failure_of(context, source);
    } else {
      writer.byte(0);
      failure = write_result(group, value.get(), source, writer);
    }
  }
  for (JSValue argument : arguments) JS_FreeValue(context, argument);
  for (JSValue node : current_.nodes) {
    if (!JS_IsUninitialized(node)) JS_FreeValue(context, node);
  }
  current_.nodes.clear();
  if (failure) {
    writer.cut(start);
    encode_failure(writer, *failure);
  } else {
    encode_log(writer, current_.log);
  }
  current_.log.clear();
  current_.log_bytes = 0;
  clean_up(context);
}

// What must not wait for the next record: jobs of promises, memory in circles.
void JavaScript::clean_up(JSContext*) {
  JSContext* ran = nullptr;
  while (JS_IsJobPending(runtime_) != 0 && !budget::spent() && !memory_.refused) {
    if (JS_ExecutePendingJob(runtime_, &ran) < 0) JS_FreeValue(ran, JS_GetException(ran));
  }
  if (JS_IsJobPending(runtime_) != 0) must_retire_ = true;
  current_.log.clear();
  current_.log_bytes = 0;
  if (memory_.used < idle_memory_ + kMaxLeftBehind) return;
  JS_RunGC(runtime_);
  if (memory_.used > idle_memory_ + kMaxLeftBehind) must_retire_ = true;
}

void JavaScript::evaluate(const Request& request, const RecordRequest& record, std::string& out) {
  current_.request = &request;
  current_.record = &record;
  wire::Writer writer(out);
  writer.varint(request.sources.size());
  for (std::size_t i = 0; i < request.sources.size(); ++i) {
    evaluate_one(*group_, group_->functions[i], request.sources[i].second, writer);
  }
}

}  // namespace tributary::script
