// respond: answers the call of a webhook.
#include <fmt/format.h>

#include "orchestrate/hooks/headers.hpp"
#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Answer the caller",
  "description": "Answers the call of a webhook with the first record that comes here.",
  "type": "object",
  "properties": {
    "status": {"title": "Status", "description": "The HTTP status, 200 to 599; a number or an {{ expression }}.", "default": 200},
    "headers": {"type": "object", "title": "Headers", "description": "Headers of the answer, with {{ expressions }}.", "additionalProperties": {"type": "string", "maxLength": 4096}, "default": {}},
    "body": {"title": "Body", "description": "What is answered, with {{ expressions }}: text as it is, everything else as JSON. Without it the record, without $meta."}
  }
})";

constexpr std::string_view kMeta = "$meta";
constexpr std::int64_t kLowestStatus = 200;
constexpr std::int64_t kHighestStatus = 599;
constexpr std::size_t kMostAnswerBytes = 4 * 1024 * 1024;

bool names_content_type(std::string_view name) {
  return name.size() == 12 &&
         std::ranges::equal(name, std::string_view("content-type"), {}, [](char c) {
           return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
         });
}

Error wrong(std::string code, std::string message) {
  return Error(ErrorClass::kFunction, std::move(code), std::move(message));
}

class RespondLogic final : public NodeLogic {
 public:
  std::optional<expression::Document> status;
  std::vector<std::pair<std::string, expression::Document>> headers;
  std::optional<expression::Document> body;

  Task<void> process(NodeRun& run, Items items) const override {
    bool answered = false;
    for (Item& item : items) {
      if (!answered) {
        auto answer = make_answer(run.scope(item));
        if (!answer) {
          run.fail(std::move(item), std::move(answer.error()));
          continue;
        }
        run.respond(std::move(*answer));
        answered = true;
      }
      run.pass(0, std::move(item));
    }
    co_return;
  }

 private:
  Result<hooks::Answer> make_answer(const expression::Scope& scope) const {
    hooks::Answer answer;
    auto code = status->evaluate(scope);
    TRIBUTARY_TRY(code);
    if (!code->is_int64() || code->as<std::int64_t>() < kLowestStatus ||
        code->as<std::int64_t>() > kHighestStatus) {
      return tributary::fail(
          wrong("invalid_status", fmt::format("{} is not a status from {} to {}.", to_text(*code),
                                              kLowestStatus, kHighestStatus)));
    }
    answer.status = static_cast<int>(code->as<std::int64_t>());
    TRIBUTARY_TRY(add_headers(scope, answer));
    return add_body(scope, std::move(answer));
  }

  Result<void> add_headers(const expression::Scope& scope, hooks::Answer& answer) const {
    for (const auto& [name, document] : headers) {
      auto value = document.evaluate(scope);
      TRIBUTARY_TRY(value);
      std::string text = value->is_string() ? value->as<std::string>() : to_text(*value);
      if (!hooks::is_header_value(text)) {
        return tributary::fail(wrong(
            "invalid_header",
            fmt::format("The value of the header {} has a line break or another character that "
                        "cannot stand there, or more than {}.",
                        name, hooks::kMostHeaderValue)));
      }
      answer.headers.emplace_back(name, std::move(text));
    }
    return {};
  }

  Result<hooks::Answer> add_body(const expression::Scope& scope, hooks::Answer answer) const {
    Json value;
    if (body) {
      auto evaluated = body->evaluate(scope);
      TRIBUTARY_TRY(evaluated);
      value = std::move(*evaluated);
    } else {
      value = *scope.input;
      if (value.is_object()) value.erase(kMeta);
    }
    answer.body = value.is_string() ? value.as<std::string>() : to_text(value);
    if (answer.body.size() > kMostAnswerBytes) {
      return tributary::fail(
          wrong("answer_too_large", fmt::format("The answer has {} bytes; {} are possible.",
                                                answer.body.size(), kMostAnswerBytes)));
    }
    const bool typed = std::ranges::any_of(
        answer.headers, [](const auto& header) { return names_content_type(header.first); });
    if (!typed) {
      answer.headers.emplace_back(
          "Content-Type", value.is_string() ? "text/plain; charset=utf-8" : "application/json");
    }
    return answer;
  }
};

void check_headers(NodeBuild& build, RespondLogic& logic) {
  for (const auto& member : get_member(build.settings, "headers").object_range()) {
    const std::string name(member.key());
    const std::string below = "/settings/headers/" + escape_pointer(name);
    const std::string text = member.value().as<std::string>();
    if (!hooks::is_header_name(name)) {
      build.error(below, "invalid", fmt::format("'{}' is not the name of a header.", name));
    } else if (hooks::is_reserved_header(name)) {
      build.error(below, "not_allowed",
                  fmt::format("The header {} is the hub's own; an answer cannot set it.", name));
    } else if (!text.contains("{{") && !hooks::is_header_value(text)) {
      build.error(below, "invalid", "A header has no line breaks and no characters outside ASCII.");
    }
    logic.headers.emplace_back(
        name, expression::Document::compile(member.value(), build.pointer + below, build.names,
                                            build.errors));
  }
}

std::unique_ptr<NodeLogic> build_respond(NodeBuild& build) {
  auto logic = std::make_unique<RespondLogic>();
  const Json& status = get_member(build.settings, "status");
  const bool fixed = status.is_int64() && status.as<std::int64_t>() >= kLowestStatus &&
                     status.as<std::int64_t>() <= kHighestStatus;
  const bool computed = status.is_string() && status.as<std::string>().starts_with("{{");
  if (!fixed && !computed) {
    build.error("/settings/status", "out_of_range",
                fmt::format("The status is a number from {} to {}, or an expression.",
                            kLowestStatus, kHighestStatus));
  }
  logic->status = expression::Document::compile(status, build.pointer + "/settings/status",
                                                build.names, build.errors);
  check_headers(build, *logic);
  if (build.settings.contains("body")) {
    logic->body = expression::Document::compile(
        build.settings.at("body"), build.pointer + "/settings/body", build.names, build.errors);
  }
  return logic;
}

}  // namespace

NodeType respond_type() {
  return {"respond", false, kSchema, {"out"}, &build_respond};
}

}  // namespace tributary::orchestrate
