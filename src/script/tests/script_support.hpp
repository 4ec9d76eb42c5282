// A runtime with real threads, real timers and real workers.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <cmath>
#include <filesystem>
#include <future>

#include "script/script.hpp"

namespace tributary::script {

// Beside the test's own binary.
inline std::string worker_program() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "script_worker").string();
}

inline Json parsed(std::string_view text) {
  auto json = parse_json(text);
  EXPECT_TRUE(json.has_value()) << text;
  return json ? *json : Json::null();
}

inline Source expression(std::string text) {
  return {Source::Kind::kExpression, std::move(text), 1, 1};
}
inline Source function(std::string text) {
  return {Source::Kind::kFunction, std::move(text), 1, 1};
}

class ScriptsTest : public testing::Test {
 protected:
  template <typename T>
  T wait(Task<T> task) {
    return asio::co_spawn(runtime.worker(0), std::move(task), asio::use_future).get();
  }

  Scripts::Results run(std::vector<Source> sources, const std::vector<Json>& inputs,
                       Limits limits = {}) {
    std::vector<Names> records;
    for (const Json& input : inputs) {
      Names names;
      names.input = &input;
      names.item = &input;
      names.index = static_cast<std::int64_t>(records.size());
      records.push_back(std::move(names));
    }
    auto results = wait(scripts.run(std::move(sources), std::move(records), limits));
    if (!results) ADD_FAILURE() << results.error().code << ": " << results.error().message;
    return results ? std::move(*results) : Scripts::Results{};
  }

  // One source, one record.
  Result<Outcome> one(Source source, const Json& input = json_object(), Limits limits = {}) {
    auto results = run({std::move(source)}, {input}, limits);
    if (results.size() != 1 || results[0].size() != 1) {
      return fail(ErrorClass::kInternal, "no_result", "there is no result");
    }
    return std::move(results[0][0]);
  }

  // The value as JSON text; "undefined"; or the error's code and message.
  std::string value(Source source, const Json& input = json_object()) {
    auto outcome = one(std::move(source), input);
    if (!outcome) return outcome.error().code + ": " + outcome.error().message;
    return outcome->value ? to_text(*outcome->value) : "undefined";
  }

  std::string check(Source source) {
    auto checked = wait(scripts.check(std::move(source)));
    return checked ? "" : checked.error().code + ": " + checked.error().message;
  }

  SystemClock clock;
  std::unique_ptr<Timers> timers = make_system_timers();
  Runtime runtime{2, clock, *timers};
  Scripts scripts{runtime, worker_program(), 2};
};

}  // namespace tributary::script
