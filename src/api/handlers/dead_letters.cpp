#include "api/handlers/common.hpp"

namespace tributary::api::handlers {
namespace {

constexpr std::size_t kMaxLettersAtOnce = 10'000;

Json counted(std::string_view member, std::int64_t count) {
  Json json = json_object();
  json[member] = count;
  return json;
}

// {"ids": [...]}; without it all dead letters of the pipeline are meant.
std::expected<std::vector<std::string>, Problem> wanted_letters(const Json& body) {
  TRIBUTARY_TRY(refuse_unknown(body, {"ids"}));
  std::vector<std::string> ids;
  if (!body.contains("ids")) return ids;
  const Json& given = body.at("ids");
  if (!given.is_array() || given.empty() || given.size() > kMaxLettersAtOnce) {
    return refuse(
        invalid_field("/ids", "wrong_type",
                      fmt::format("It must be a list of 1 to {} ids; leave it out to mean "
                                  "all of them.",
                                  kMaxLettersAtOnce)));
  }
  for (const Json& id : given.array_range()) {
    if (!id.is_string()) return refuse(invalid_field("/ids", "wrong_type", "Every id is a text."));
    ids.push_back(id.as<std::string>());
  }
  return ids;
}

// What can be done with dead letters, and what the answer calls their number.
struct LetterCommand {
  std::string_view counted;
  Task<Result<std::int64_t>> (orchestrate::Engine::*apply)(std::string id,
                                                           std::vector<std::string> letters);
};
constexpr LetterCommand kRelease{"released", &orchestrate::Engine::release_dead_letters};
constexpr LetterCommand kDelete{"deleted", &orchestrate::Engine::delete_dead_letters};

Task<Answer> command_letters(Services& services, Request& request, LetterCommand command) {
  auto body = body_object(request, true);
  TRIBUTARY_CO_TRY(body);
  auto ids = wanted_letters(*body);
  TRIBUTARY_CO_TRY(ids);
  const std::string id = request.parameter("id");
  if (!services.engine.pipeline(id)) co_return refuse(no_such("pipeline"));
  if (request.dry_run) co_return Response::of(counted(command.counted, 0));
  auto done = co_await (services.engine.*command.apply)(id, std::move(*ids));
  TRIBUTARY_CO_TRY(done);
  request.audit_detail[command.counted] = *done;
  co_return Response::of(counted(command.counted, *done));
}

Task<Answer> command_letter(Services& services, Request& request, LetterCommand command) {
  const std::string id = request.parameter("id");
  const std::string letter = request.parameter("letter");
  auto found = co_await services.engine.dead_letter(id, letter);
  if (!found && found.error().code == "not_found") co_return refuse(no_such("dead letter"));
  TRIBUTARY_CO_TRY(found);
  if (request.dry_run) co_return Response::of(counted(command.counted, 1));
  std::vector<std::string> ids{letter};
  auto done = co_await (services.engine.*command.apply)(id, std::move(ids));
  TRIBUTARY_CO_TRY(done);
  co_return Response::of(counted(command.counted, *done));
}

}  // namespace

Task<Answer> list_dead_letters(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  const std::string id = request.parameter("id");
  if (!services.engine.pipeline(id)) co_return refuse(no_such("pipeline"));
  const auto node = request.query_value("nodeId");
  Json items = json_array();
  std::string before = page->after;
  bool more = true;
  while (more && items.size() < page->limit) {
    auto letters = co_await services.engine.dead_letters(id, before, page->limit + 1);
    TRIBUTARY_CO_TRY(letters);
    more = letters->size() > page->limit;
    if (more) letters->resize(page->limit);
    for (const auto& letter : *letters) {
      before = letter.id;
      if (!node || letter.queue.node == *node) items.push_back(dead_letter_view(letter));
      if (items.size() == page->limit) {
        more = more || &letter != &letters->back();
        break;
      }
    }
  }
  std::optional<std::string> next;
  if (more) next = before;
  co_return Response::of(page_answer(std::move(items), next));
}

Task<Answer> get_dead_letter(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  const std::string letter_id = request.parameter("letter");
  auto letter = co_await services.engine.dead_letter(id, letter_id);
  if (!letter && letter.error().code == "not_found") co_return refuse(no_such("dead letter"));
  TRIBUTARY_CO_TRY(letter);
  co_return Response::of(dead_letter_view(*letter));
}

Task<Answer> release_dead_letters(Services& services, Request& request) {
  return command_letters(services, request, kRelease);
}

Task<Answer> release_dead_letter(Services& services, Request& request) {
  return command_letter(services, request, kRelease);
}

Task<Answer> delete_dead_letters(Services& services, Request& request) {
  return command_letters(services, request, kDelete);
}

Task<Answer> delete_dead_letter(Services& services, Request& request) {
  auto deleted = co_await command_letter(services, request, kDelete);
  TRIBUTARY_CO_TRY(deleted);
  co_return Response::no_content();
}

}  // namespace tributary::api::handlers
