// JavaScript in pipelines: real script workers behind a real engine; connections are scripted.
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>
#include <thread>

#include "orchestrate/engine.hpp"
#include "orchestrate_support.hpp"
#include "script/script.hpp"

namespace tributary::orchestrate {
namespace {

using namespace std::chrono_literals;

class JavaScriptTest : public testing::Test {
 protected:
  JavaScriptTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "javascript-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    store_ = std::move(*store::Store::open(dir_, clock_));
    runtime_ = std::make_unique<Runtime>(2, clock_, *timers_);
    const auto program =
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / "script_worker";
    scripts_ = std::make_unique<script::Scripts>(*runtime_, program.string(), 2);
    open(scripts_.get());
  }
  ~JavaScriptTest() override {
    close();
    scripts_.reset();
    runtime_->stop();
    runtime_.reset();
    store_.reset();
    std::filesystem::remove_all(dir_);
  }

  template <typename F>
  auto control(F make) {
    return asio::co_spawn(runtime_->control(), std::move(make), asio::use_future).get();
  }

  void open(script::Scripts* scripts) {
    auto port = std::make_unique<FakePort>();
    port_ = port.get();
    port_->add("write", sdk::FunctionKind::kWrite);
    EngineOptions options;
    options.scripts = scripts;
    options.env = json(R"({"LINE": "3"})");
    engine_ =
        std::make_unique<Engine>(*runtime_, *store_, std::move(port), nullptr, std::move(options));
    ASSERT_TRUE(engine_->load().has_value());
  }
  void close() {
    control([this]() -> Task<bool> {
      co_await engine_->shutdown(5s);
      co_return true;
    });
    engine_.reset();
  }

  // trigger.manual → `nodes` (a list in JSON, in a row) → a write function.
  Json pipeline(std::string_view nodes, std::string_view extra = "{}") {
    Json body = json(R"({"name": "p", "enabled": true})");
    Json list = json(R"([{"id": "t", "type": "trigger.manual"}])");
    Json edges = json_array();
    std::string before = "t";
    const Json own = json(nodes);
    for (const Json& node : own.array_range()) list.push_back(node);
    list.push_back(json(R"({"id": "d", "type": "function", "settings": {"functionId": "write"}})"));
    for (std::size_t i = 1; i < list.size(); ++i) {
      Json edge = json_object();
      edge.insert_or_assign("from", before);
      if (get_string(list[i - 1], "type") == "condition") edge.insert_or_assign("port", "true");
      before = get_string(list[i], "id");
      edge.insert_or_assign("to", before);
      edges.push_back(std::move(edge));
    }
    body.insert_or_assign("nodes", std::move(list));
    body.insert_or_assign("edges", std::move(edges));
    return merge_patch(body, json(extra));
  }

  std::string create(const Json& body) {
    auto made = control([&] { return engine_->create(body, Actor{"tester"}, false); });
    if (made) return made->row.id;
    const auto* invalid = std::get_if<connect::Invalid>(&made.error());
    std::string all = invalid == nullptr ? std::get<Error>(made.error()).code : "";
    for (std::size_t i = 0; invalid != nullptr && i < invalid->errors.size(); ++i) {
      const auto& error = invalid->errors[i];
      all +=
          fmt::format("{}{} {}: {}", i == 0 ? "" : " | ", error.pointer, error.code, error.message);
    }
    return all;
  }

  store::RunRow run(const std::string& id, std::string_view input) {
    auto row = control([&] { return engine_->run(id, json(input), Actor{}); });
    if (!row) ADD_FAILURE() << row.error().message;
    return row ? *row : store::RunRow{};
  }

  // What the destination was given, as JSON texts.
  std::vector<std::string> written() {
    std::vector<std::string> texts;
    for (const Call& call : port_->calls) texts.push_back(to_text(call.parameters.at("payload")));
    return texts;
  }
  const Json& node_detail(const store::RunRow& row, std::string_view id) {
    for (const Json& node : row.detail.at("nodes").array_range()) {
      if (get_string(node, "nodeId") == id) return node;
    }
    return get_member(row.detail, "missing");
  }

  using Texts = std::vector<std::string>;
  SystemClock clock_;
  std::unique_ptr<Timers> timers_ = make_system_timers();
  std::string dir_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<script::Scripts> scripts_;
  FakePort* port_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

TEST_F(JavaScriptTest, expressions_mix_native_and_javascript) {
  const std::string id = create(pipeline(
      R"js([{"id": "n", "type": "set", "settings": {"include": "none", "fields": {
        "native": "{{ $input.a + 1 }}", "sum": "{{ $input.list.reduce((a, b) => a + b, 0) }}",
        "text": "line {{ $env.LINE }}: {{ $input.name.toUpperCase() }}", "gone": "{{ [][0] }}",
        "from": "{{ $node('t').a + [$trigger.a, $index, $pipeline.name, $run.trigger].join() }}"}}},
       {"id": "c", "type": "condition", "settings": {"expression": "{{ [3, 6].includes($input.sum) }}"}}])js"));
  run(id, R"([{"a": 1, "list": [1, 2], "name": "x"}, {"a": 2, "list": [2], "name": "y"},
              {"a": 3, "list": [6], "name": "z"}])");
  EXPECT_EQ(written(), (Texts{R"({"native":2,"sum":3,"text":"line 3: X","from":"11,0,p,t"})",
                              R"({"native":4,"sum":6,"text":"line 3: Z","from":"33,2,p,t"})"}));
}

TEST_F(JavaScriptTest, a_script_returns_a_record_a_list_or_nothing) {
  const std::string id = create(pipeline(
      R"js([{"id": "s", "type": "script", "settings": {"code":
        "console.log('saw', $input.n)\nif ($input.n === 1) return\nif ($input.n === 2) return [{x: 1}, {x: 2}]\nreturn {...$input, line: $env.LINE}"}}])js"));
  const auto row = run(id, R"([{"n": 0}, {"n": 1}, {"n": 2}])");
  EXPECT_EQ(written(), (Texts{R"({"n":0,"line":"3"})", R"({"x":1})", R"({"x":2})"}));
  EXPECT_EQ(row.status, "completed");
  EXPECT_EQ(to_text(node_detail(row, "s").at("log")), R"(["saw 0","saw 1","saw 2"])");
  EXPECT_EQ(get_int(row.detail, "copied", -1), 1);
  EXPECT_EQ(get_int(row.detail, "filtered", -1), 1);
}

TEST_F(JavaScriptTest, a_script_may_take_the_whole_batch) {
  const std::string sorted = create(pipeline(
      R"js([{"id": "s", "type": "script", "settings": {"mode": "batch", "code": "return $items.sort((a, b) => a.n - b.n)"}}])js"));
  run(sorted, R"([{"n": 3}, {"n": 1}, {"n": 2}])");
  EXPECT_EQ(written(), (Texts{R"({"n":1})", R"({"n":2})", R"({"n":3})"}));
  port_->calls.clear();
  const std::string one = create(pipeline(
      R"js([{"id": "s", "type": "script", "settings": {"mode": "batch", "code": "return [{count: $items.length}]"}}])js"));
  const auto row = run(one, R"([{"n": 3}, {"n": 1}, {"n": 2}])");
  EXPECT_EQ(written(), Texts{R"({"count":3})"});
  EXPECT_EQ(get_int(row.detail, "filtered", -1), 2);
  port_->calls.clear();
  const std::string more = create(pipeline(
      R"js([{"id": "s", "type": "script", "settings": {"mode": "batch", "code": "return [...$items, {n: 8}, {n: 9}]"}}])js"));
  EXPECT_EQ(get_int(run(more, R"([{"n": 1}, {"n": 2}])").detail, "copied", -1), 2);
  EXPECT_EQ(written().size(), 4U);
}

TEST_F(JavaScriptTest, a_record_that_fails_goes_where_on_error_says_and_the_others_go_on) {
  const std::string id = create(pipeline(
      R"js([{"id": "s", "type": "script", "onError": "continue", "settings": {"code": "return {ok: $input.a.b}"}},
            {"id": "n", "type": "set", "settings": {"fields": {"u": "{{ $input.ok?.toUpperCase() ?? 'none' }}"}}}])js"));
  const auto row = run(id, R"([{"a": {"b": "x"}}, {"a": null}, {"a": {"b": 5}}])");
  EXPECT_EQ(written(), (Texts{R"({"ok":"x","u":"X"})", R"({"a":null,"u":"none"})"}));
  EXPECT_EQ(get_string(node_detail(row, "s").at("error"), "message"),
            "line 1, column 21: TypeError: cannot read property 'b' of null");
  const Json& failed = node_detail(row, "n").at("error");
  EXPECT_EQ(get_string(failed, "code"), "script_failed");
  EXPECT_NE(get_string(failed, "message").find("{{ $input.ok?.toUpperCase() ?? 'none' }}: line 1"),
            std::string::npos);
}

TEST_F(JavaScriptTest, what_is_no_record_is_an_error_that_says_so) {
  for (const char* code : {"return 5", "return 'x'", "return [1]", "return true"}) {
    Json nodes = json(R"([{"id": "s", "type": "script", "settings": {}}])");
    nodes[0].at("settings").insert_or_assign("code", code);
    const auto row = run(create(pipeline(to_text(nodes))), "[{}]");
    EXPECT_EQ(row.status, "failed") << code;
    EXPECT_NE(get_string(node_detail(row, "s").at("error"), "message").find("must return"),
              std::string::npos);
  }
}

TEST_F(JavaScriptTest, saving_checks_javascript_with_pointer_line_and_column) {
  EXPECT_EQ(
      create(pipeline(
          R"js([{"id": "n", "type": "set", "settings": {"fields": {"a": {"b": "x {{ $input.f(,) }} y"}}}},
                      {"id": "s", "type": "script", "settings": {"code": "let a = 1\nreturn a +"}}])js")),
      "/nodes/1/settings/fields/a/b invalid_expression: line 1, column 15: SyntaxError: "
      "unexpected token in expression: ',' | "
      "/nodes/2/settings/code invalid_script: line 2, column 11: SyntaxError: unexpected token "
      "in expression: '}'");
}

TEST_F(JavaScriptTest, without_workers_saving_says_so) {
  close();
  open(nullptr);
  EXPECT_EQ(
      create(
          pipeline(R"js([{"id": "s", "type": "script", "settings": {"code": "return $input"}}])js"))
          .substr(0, 45),
      "/nodes/1/settings/code script_unavailable: Th");
}

TEST_F(JavaScriptTest, inj4_a_script_that_burns_its_time_leaves_other_pipelines_alone) {
  const std::string burns = create(pipeline(
      R"js([{"id": "s", "type": "script", "settings": {"code": "if ($input.n % 2) for (;;) {}\nreturn $input"}}])js"));
  const std::string calm = create(pipeline(
      R"js([{"id": "s", "type": "script", "settings": {"code": "return {calm: true}"}}])js",
      R"({"name": "calm"})"));
  std::thread burning([&] {
    const auto row = run(burns, R"([{"n": 0}, {"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}])");
    EXPECT_EQ(row.records_out, 3);
    EXPECT_EQ(get_string(node_detail(row, "s").at("error"), "code"), "script_timeout");
  });
  Duration worst{};
  for (int i = 0; i < 10; ++i) {
    const SteadyTime begun = timers_->now();
    EXPECT_EQ(run(calm, "[{}]").status, "completed");
    worst = std::max(worst, timers_->now() - begun);
  }
  EXPECT_LT(worst, 1s);
  burning.join();
}

TEST_F(JavaScriptTest, a_pipeline_that_is_stopped_does_not_wait_for_its_scripts) {
  const std::string id = create(pipeline(
      R"js([{"id": "s", "type": "script", "settings": {"timeoutMs": 200, "code": "for (;;) {}"}}])js"));
  Json many = json_array();
  for (int i = 0; i < 500; ++i) many.push_back(json_object());
  auto running = std::async(std::launch::async, [&] { return run(id, to_text(many)); });
  std::this_thread::sleep_for(400ms);
  const SteadyTime begun = timers_->now();
  ASSERT_TRUE(control([&] { return engine_->set_enabled(id, false, Actor{}); }).has_value());
  EXPECT_LT(timers_->now() - begun, 5s);
  const auto row = running.get();
  EXPECT_EQ(row.status, "cancelled");
  EXPECT_EQ(row.errors + get_int(row.detail, "dropped", 0), 500) << "none is lost without a word";
}

}  // namespace
}  // namespace tributary::orchestrate
