// INJ3 and INJ4: scripts that mean harm. The hub goes on, the next script finds a clean place, and
// no record takes longer than twice its limit.
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "script/tests/script_support.hpp"

namespace tributary::script {
namespace {

using std::chrono::milliseconds;

class AttackTest : public ScriptsTest {
 protected:
  AttackTest() { value(expression("1")); }  // a worker is there

  // The longest that an executor of the hub kept a timer waiting while `work` ran.
  template <typename F>
  Duration worst_delay(F work) {
    std::atomic<bool> stop{false};
    std::atomic<std::int64_t> worst{0};
    auto watch = [this, &stop, &worst]() -> Task<void> {
      while (!stop) {
        const SteadyTime due = timers->now() + milliseconds{2};
        co_await sleep_until(*timers, due);
        worst = std::max<std::int64_t>(worst, (timers->now() - due).count());
      }
    };
    auto watching = asio::co_spawn(runtime.worker(0), watch(), asio::use_future);
    work();
    stop = true;
    watching.get();
    return Duration(worst.load());
  }

  // Fails with `code`, in time; the hub's executor stays free; the next record is computed.
  void expect_failure(const std::string& text, const std::string& code) {
    SCOPED_TRACE(text);
    const SteadyTime begun = timers->now();
    std::string got;
    const Duration delay = worst_delay([&] { got = value(function(text)); });
    const Duration took = timers->now() - begun;
    EXPECT_EQ(got.substr(0, got.find(':')), code) << got;
    EXPECT_LT(took, milliseconds{1500}) << "twice the limit, with room for a busy machine";
    EXPECT_LT(delay, milliseconds{400}) << "the hub's own executor";
    EXPECT_EQ(value(expression("40 + 2")), "42");
  }
};

TEST_F(AttackTest, inj4_an_endless_loop_ends_at_its_limit) {
  expect_failure("for (;;) {}", "script_timeout");
  expect_failure("try { for (;;) {} } catch (e) { for (;;) {} } finally { for (;;) {} }",
                 "script_timeout");
}

TEST_F(AttackTest, inj4_one_long_step_of_a_built_in_ends_at_its_limit) {
  expect_failure("return new Array(1e9) + ''", "script_timeout");
  expect_failure("return Array.prototype.indexOf.call({length: 4294967295}, 99)", "script_timeout");
  expect_failure("return Array.prototype.join.call({length: 4294967295}, '')", "script_timeout");
}

TEST_F(AttackTest, inj4_a_huge_bigint_is_refused) {
  const std::string power = value(function("return 2n ** 100000000n"));
  EXPECT_EQ(power.find("script_"), 0U) << power;
  const std::string digits = value(function("return (7n ** 300000n).toString().length"));
  EXPECT_TRUE(digits.starts_with("script_timeout") || digits == "253530") << digits;
  const std::string answer = value(function("return 10n ** 5000n"));
  EXPECT_EQ(answer.substr(0, answer.find(':')), "script_output_too_large");
  EXPECT_EQ(value(expression("1")), "1");
}

TEST_F(AttackTest, inj4_a_catastrophic_regular_expression_ends_at_its_limit) {
  expect_failure("return /^(a+)+$/.test('a'.repeat(40) + 'b')", "script_timeout");
}

TEST_F(AttackTest, inj4_recursion_overflows_its_own_stack) {
  expect_failure("function f() { return f() + 1 } return f()", "script_failed");
  expect_failure("let a = []; for (let i = 0; i < 1e5; ++i) a = [a]; return JSON.stringify(a)",
                 "script_failed");
  expect_failure("let a = []; for (let i = 0; i < 1e4; ++i) a = [a]; return a", "script_failed");
  expect_failure("const a = {}; a.a = a; return a", "script_failed");
}

TEST_F(AttackTest, inj4_a_gigabyte_of_text_is_out_of_memory) {
  expect_failure("return 'x'.repeat(2 ** 29)", "script_out_of_memory");
  expect_failure("const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)",
                 "script_out_of_memory");
  expect_failure("return new Uint8Array(1e9)", "script_out_of_memory");
}

TEST_F(AttackTest, inj4_an_answer_that_is_too_large_is_refused) {
  expect_failure("return 'x'.repeat(5e6)", "script_output_too_large");
  expect_failure("return Array(2e5).fill('x'.repeat(50))", "script_output_too_large");
}

TEST_F(AttackTest, inj4_a_flood_of_promises_drowns_nobody_else) {
  const std::string got =
      value(function("const f = () => Promise.resolve().then(f).then(f); f(); f(); await f()"));
  EXPECT_TRUE(got.starts_with("script_timeout") || got.starts_with("script_out_of_memory")) << got;
  value(function("const f = () => Promise.resolve().then(f).then(f); f(); return 1"));
  EXPECT_EQ(value(expression("40 + 2")), "42");
}

TEST_F(AttackTest, inj4_there_are_no_files_sockets_or_processes_to_ask_for) {
  for (const char* name :
       {"require", "process", "std", "os", "fetch", "XMLHttpRequest", "WebSocket", "Deno", "Bun",
        "setTimeout", "Worker", "SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry",
        "print", "scriptArgs", "eval"}) {
    EXPECT_EQ(value(expression(fmt::format("typeof {}", name))), R"("undefined")") << name;
  }
  EXPECT_EQ(value(function("return await import('os')")).find("script_failed"), 0U);
}

TEST_F(AttackTest, inj3_constructors_lead_nowhere) {
  for (const char* text :
       {"$input.constructor.constructor('return 1')()", "(() => {}).constructor('return 1')()",
        "(async () => {}).constructor('return 1')()", "(function* () {}).constructor('return 1')()",
        "[].map.constructor('return this')()", "Function('return this')()",
        "new Function('return 1')()", "Reflect.construct(Function, ['return 1'])()",
        "$fn.hash.sha256.constructor('return 1')()", "$node.constructor('return 1')()",
        "console.log.constructor('return 1')()", "globalThis.eval('1')", "(0, eval)('1')"}) {
    EXPECT_EQ(value(expression(text)).find("script_failed"), 0U) << text;
  }
}

TEST_F(AttackTest, inj3_what_one_script_pollutes_the_next_does_not_see) {
  for (const char* text : {"Object.prototype.polluted = 1",
                           "Array.prototype.map = () => 'mine'",
                           "globalThis.x = 1",
                           "x = 1",
                           "Object.defineProperty(Object.prototype, 'polluted', {value: 1})",
                           "({}).__proto__.polluted = 1",
                           "JSON.stringify = () => 'mine'",
                           "$fn.hash.sha256 = 1",
                           "$fn.date.mine = 1",
                           "console.log = 1",
                           "Object.setPrototypeOf(Object.prototype, {polluted: 1})",
                           "Object.prototype.toString = () => 'mine'",
                           "Math.max = () => 7",
                           "delete Array.prototype.map",
                           "Object.getPrototypeOf(function* () {}).mine = 1",
                           "Symbol.prototype.mine = 1",
                           "Promise.prototype.then = 1",
                           "RegExp.prototype.exec = 1",
                           "Object.prototype.__proto__ = {}",
                           "$input.__proto__.__proto__ = {polluted: 1}",
                           "Error.prototype.name = 'Mine'",
                           "Error.stackTraceLimit = 0",
                           "Error.prepareStackTrace = () => 'mine'",
                           "Object.getPrototypeOf([][Symbol.iterator]()).next = 1",
                           "this.x = 1"}) {
    EXPECT_EQ(value(function(fmt::format("{}; return 1", text))).find("script_failed"), 0U) << text;
  }
  // The same context again, and another one.
  const char* clean =
      "[typeof x, ({}).polluted, [1].map(v => v), JSON.stringify([1]), Math.max(1, 2), `${{}}`, "
      "new Error('e').name, typeof ({}).mine]";
  const char* expected = R"(["undefined",null,[1],"[1]",2,"[object Object]","Error","undefined"])";
  EXPECT_EQ(value(expression(clean)), expected);
  EXPECT_EQ(value(function(fmt::format("return {}", clean))), expected);
}

TEST_F(AttackTest, inj3_a_record_leaves_nothing_to_the_next_one_of_the_same_script) {
  const auto results =
      run({function("const had = [typeof $input.mark, $fn.mark, console.mark];\n"
                    "$input.mark = 1; $input.list.push(9);\n"
                    "try { $fn.mark = 1 } catch {} try { console.mark = 1 } catch {}\n"
                    "return [...had, $input.list]"),
           expression("$input.list")},
          {parsed(R"({"list": [1]})"), parsed(R"({"list": [1]})")});
  for (const auto& row : results) {
    EXPECT_EQ(to_text(*row[0]->value), R"(["undefined",null,null,[1,9]])");
    EXPECT_EQ(to_text(*row[1]->value), "[1]") << "one source does not change another one's record";
  }
}

TEST_F(AttackTest, inj3_long_and_deep_text_is_refused_quickly) {
  const SteadyTime begun = timers->now();
  EXPECT_NE(check(expression(std::string(1'000'000, '1'))), "");
  EXPECT_NE(check(expression(std::string(10'000, '(') + "1" + std::string(10'000, ')'))), "");
  EXPECT_NE(check(expression(std::string(10'000, '['))), "");
  std::string nested;
  for (int i = 0; i < 10'000; ++i) nested += "`${";
  EXPECT_NE(check(expression(nested)), "");
  EXPECT_LT(timers->now() - begun, milliseconds{4 * 250});
  EXPECT_EQ(value(expression("1")), "1");
}

TEST_F(AttackTest, inj4_the_rest_of_a_batch_goes_on_when_a_worker_dies) {
  std::vector<Json> inputs;
  for (int i = 0; i < 40; ++i) inputs.push_back(Json(i));
  const auto results = run(
      {expression("$input === 17 ? new Array(1e9) + '' : $input === 30 ? (() => { for (;;); })() "
                  ": $input * 2")},
      inputs);
  ASSERT_EQ(results.size(), 40U);
  for (int i = 0; i < 40; ++i) {
    const auto& outcome = results[static_cast<std::size_t>(i)][0];
    if (i == 17 || i == 30) {
      EXPECT_EQ(outcome.error().code, "script_timeout") << i;
    } else {
      ASSERT_TRUE(outcome.has_value()) << i << outcome.error().message;
      EXPECT_EQ(*outcome->value, Json(i * 2));
    }
  }
}

TEST_F(AttackTest, inj4_a_worker_that_is_killed_or_stopped_from_outside_is_replaced) {
  for (const int signal : {SIGKILL, SIGSTOP}) {
    ASSERT_FALSE(scripts.worker_pids().empty());
    for (const int pid : scripts.worker_pids()) ::kill(pid, signal);
    const SteadyTime begun = timers->now();
    const auto results = run({expression("$input")}, {Json(1), Json(2)});
    ASSERT_EQ(results.size(), 2U);
    EXPECT_EQ(*results[1][0]->value, Json(2)) << "the second record is computed by another worker";
    EXPECT_LT(timers->now() - begun, milliseconds{1500});
    EXPECT_EQ(value(expression("1")), "1");
  }
}

TEST_F(AttackTest, inj4_other_pipelines_do_not_wait_behind_one_that_burns_its_time) {
  std::vector<Json> inputs(12, Json(1));
  std::vector<std::thread> burning;
  for (int i = 0; i < 2; ++i) {
    burning.emplace_back([this, &inputs, i] {
      run({expression(fmt::format("(() => {{ for (;;); }})() + {}", i))}, inputs);
    });
  }
  std::this_thread::sleep_for(milliseconds{250});  // both are known by now for what they are
  Duration worst{};
  for (int i = 0; i < 20; ++i) {
    const SteadyTime begun = timers->now();
    EXPECT_EQ(value(expression("$input.a"), parsed(R"({"a": 1})")), "1");
    worst = std::max(worst, timers->now() - begun);
  }
  EXPECT_LT(worst, milliseconds{500});
  for (std::thread& thread : burning) thread.join();
}

TEST(Sandbox, inj4_every_way_out_ends_the_process) {
  for (const char* what : {"open", "create", "socket", "fork", "clone", "exec", "kill", "ptrace",
                           "executable memory", "write elsewhere", "stat"}) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::execl(worker_program().c_str(), "script_worker", "probe", what, nullptr);
      ::_exit(3);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << what << ": " << status;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/script-worker-was-here"));
}

TEST_F(AttackTest, the_worker_has_no_descriptor_but_its_channel_and_tight_limits) {
  const auto pids = scripts.worker_pids();
  ASSERT_FALSE(pids.empty());
  std::ifstream status(fmt::format("/proc/{}/status", pids[0]));
  const std::string text((std::istreambuf_iterator<char>(status)), {});
  EXPECT_NE(text.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(text.find("Seccomp:\t2"), std::string::npos);
  std::ifstream limits(fmt::format("/proc/{}/limits", pids[0]));
  std::string line;
  int found = 0;
  while (std::getline(limits, line)) {
    for (const char* zero : {"Max file size             0 ", "Max core file size        0 ",
                             "Max processes             0 ", "Max open files            3 ",
                             "Max cpu time              600 "}) {
      if (line.starts_with(zero)) ++found;
    }
  }
  EXPECT_EQ(found, 5);
}

}  // namespace
}  // namespace tributary::script
