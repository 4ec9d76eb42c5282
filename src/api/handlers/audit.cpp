#include <charconv>

#include "api/audit_view.hpp"
#include "api/handlers/common.hpp"
#include "store/audit_search.hpp"
#include "store/session.hpp"

namespace tributary::api::handlers {
namespace {

std::expected<std::int64_t, Problem> before_of(const PageRequest& page) {
  std::int64_t before = 0;
  const std::string& after = page.after;
  const auto [end, error] = std::from_chars(after.data(), after.data() + after.size(), before);
  if (!after.empty() && (error != std::errc() || end != after.data() + after.size() || before < 1))
    return refuse(Problem(400, "invalid_cursor", "Use the value of next from the page before."));
  return before;
}

std::expected<store::AuditFilter, Problem> filter_of(const Request& request) {
  store::AuditFilter filter;
  filter.text = request.query_value("q").value_or("");
  filter.actor = request.query_value("actor").value_or("");
  filter.action = request.query_value("action").value_or("");
  filter.target = request.query_value("target").value_or("");
  auto from = query_time(request, "from");
  TRIBUTARY_TRY(from);
  filter.from = *from;
  auto to = query_time(request, "to");
  TRIBUTARY_TRY(to);
  filter.to = *to;
  return filter;
}

}  // namespace

Task<Answer> list_audit(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  auto before = before_of(*page);
  TRIBUTARY_CO_TRY(before);
  auto filter = filter_of(request);
  TRIBUTARY_CO_TRY(filter);
  using Rows = std::vector<store::AuditRow>;
  const std::size_t limit = page->limit;
  std::move_only_function<Result<Rows>(store::SessionRef)> work =
      [filter = std::move(*filter), before = *before, limit](soci::session& sql) {
        return store::search_audit(sql, filter, before, limit + 1);
      };
  auto rows = co_await services.store.read<Rows>(std::move(work));
  TRIBUTARY_CO_TRY(rows);
  std::optional<std::string> next;
  if (rows->size() > limit) {
    rows->resize(limit);
    next = std::to_string(rows->back().seq);
  }
  Json items = json_array();
  for (const auto& row : *rows) items.push_back(audit_view(row));
  co_return Response::of(page_answer(std::move(items), next));
}

}  // namespace tributary::api::handlers
