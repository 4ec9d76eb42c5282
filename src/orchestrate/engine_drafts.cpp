// Old versions and drafts: what a pipeline was, and what it is to become.
#include <fmt/format.h>

#include "orchestrate/engine_impl.hpp"
#include "orchestrate/hooks/secrets.hpp"
#include "orchestrate/model/warnings.hpp"
#include "store/repositories.hpp"

namespace tributary::orchestrate {
namespace {

Error conflict(std::string_view what, std::int64_t now, std::int64_t expected) {
  return Error(
      ErrorClass::kFunction, "version_conflict",
      fmt::format("The {} is at version {}, not {}: somebody changed it.", what, now, expected),
      "Read it again and repeat the change.");
}

std::unexpected<Error> no_draft() {
  return fail(ErrorClass::kFunction, "no_draft", "This pipeline has no draft.",
              "Save one with PUT.");
}

// What a version was, as it would be posted. Versions of before names were kept have the name of
// today.
Json body_of_version(const store::PipelineVersionRow& version, const store::PipelineRow& now) {
  store::PipelineRow row = now;
  row.document = version.document;
  if (version.head.contains("name")) {
    row.name = get_string(version.head, "name");
    row.description = get_string(version.head, "description");
    row.labels = get_member(version.head, "labels");
  }
  return body_of(row);
}

}  // namespace

Task<Result<store::PipelineVersionRow>> Engine::version(std::string id, std::int64_t version) {
  using Row = store::PipelineVersionRow;
  auto impl = impl_;
  if (!impl->entries.contains(id)) co_return no_such_pipeline();
  std::move_only_function<Result<Row>(store::SessionRef)> work =
      [id, version](store::SessionRef sql) -> Result<Row> {
    auto row = store::Pipelines::find_version(sql, id, version);
    if (!row) return fail(std::move(row.error()));
    if (*row) return std::move(**row);
    return fail(ErrorClass::kFunction, "not_found",
                fmt::format("This pipeline has no version {}.", version));
  };
  co_return co_await impl->store.read<Row>(std::move(work));
}

Task<Outcome<PipelineView>> Engine::restore(std::string id, std::int64_t version,
                                            std::int64_t expected_version, Actor actor,
                                            bool dry_run) {
  auto impl = impl_;
  auto old = co_await this->version(id, version);
  if (!old) co_return refused(std::move(old.error()));
  auto gate = co_await impl->enter(id);
  if (!gate) co_return refused(no_such_pipeline().error());
  const Held held(gate);
  const store::PipelineRow& row = impl->entries.at(id).row;
  if (expected_version != 0 && expected_version != row.version)
    co_return refused(conflict("pipeline", row.version, expected_version));
  Json body = body_of_version(*old, row);
  co_return co_await impl->replace(id, std::move(body), actor.name, dry_run, false);
}

Findings Engine::validate(const Json& body) const {
  Findings findings;
  findings.problems = check_pipeline(body, impl_->catalogue, *impl_->functions).problems;
  findings.warnings = warnings_of(body, impl_->catalogue, *impl_->functions);
  return findings;
}

Task<Findings> Engine::validate_all(Json body) {
  auto impl = impl_;
  Findings findings;
  Checked checked = co_await impl->check_all(body);
  findings.problems = std::move(checked.problems);
  findings.warnings = warnings_of(body, impl->catalogue, *impl->functions);
  co_return findings;
}

std::optional<DraftView> Engine::draft(const std::string& id) const {
  const auto found = impl_->entries.find(id);
  if (found == impl_->entries.end() || found->second.draft.document.is_null()) return std::nullopt;
  const store::PipelineDraftRow& row = found->second.draft;
  return DraftView{row, validate(row.document)};
}

Task<Result<DraftView>> Engine::save_draft(std::string id, Json body, std::int64_t expected_version,
                                           Actor actor, bool dry_run) {
  auto impl = impl_;
  auto gate = co_await impl->enter(id);
  if (!gate) co_return no_such_pipeline();
  const Held held(gate);
  Impl::Entry& entry = impl->entries.at(id);  // stays while the gate is held
  const bool begins = entry.draft.document.is_null();
  const std::int64_t now = begins ? entry.row.version : entry.draft.version;
  if (expected_version != 0 && expected_version != now)
    co_return fail(conflict(begins ? "pipeline" : "draft", now, expected_version));
  if (const std::string pointer = hooks::find_secret(body); !pointer.empty()) {
    co_return fail(ErrorClass::kFunction, "secret_in_draft", "A draft keeps no secrets.",
                   "Leave the secret as it is, and change it in the pipeline itself.", pointer);
  }
  store::PipelineDraftRow row = entry.draft;
  row.pipeline_id = id;
  ++row.version;
  // Whoever saves a draft has seen the version that runs; deploy() says when it changed meanwhile.
  if (begins) row.base_version = entry.row.version;
  row.document = std::move(body);
  row.actor = actor.name;
  row.at = impl->runtime.clock().utc_now();
  if (!dry_run) {
    std::move_only_function<Result<bool>(store::SessionRef)> work =
        [row](store::SessionRef sql) -> Result<bool> {
      TRIBUTARY_TRY(store::PipelineDrafts::put(sql, row));
      return true;
    };
    auto stored = co_await impl->store.write<bool>(std::move(work));
    if (!stored) co_return fail(std::move(stored.error()));
    entry.draft = row;
  }
  Findings findings = validate(row.document);
  co_return DraftView{std::move(row), std::move(findings)};
}

Task<Result<void>> Engine::drop_draft(std::string id, std::int64_t expected_version, bool dry_run) {
  auto impl = impl_;
  auto gate = co_await impl->enter(id);
  if (!gate) co_return no_such_pipeline();
  const Held held(gate);
  Impl::Entry& entry = impl->entries.at(id);  // stays while the gate is held
  if (entry.draft.document.is_null()) co_return no_draft();
  if (expected_version != 0 && expected_version != entry.draft.version)
    co_return fail(conflict("draft", entry.draft.version, expected_version));
  if (dry_run) co_return Result<void>{};
  std::move_only_function<Result<bool>(store::SessionRef)> work =
      [id](store::SessionRef sql) -> Result<bool> {
    TRIBUTARY_TRY(store::PipelineDrafts::clear(sql, id));
    return true;
  };
  auto stored = co_await impl->store.write<bool>(std::move(work));
  if (!stored) co_return fail(std::move(stored.error()));
  entry.draft.document = Json::null();
  co_return Result<void>{};
}

Task<Outcome<PipelineView>> Engine::deploy(std::string id, std::int64_t expected_version,
                                           bool force, Actor actor, bool dry_run) {
  auto impl = impl_;
  auto gate = co_await impl->enter(id);
  if (!gate) co_return refused(no_such_pipeline().error());
  const Held held(gate);
  const Impl::Entry& entry = impl->entries.at(id);  // stays while the gate is held
  const store::PipelineDraftRow& draft = entry.draft;
  if (draft.document.is_null()) co_return refused(no_draft().error());
  if (expected_version != 0 && expected_version != draft.version)
    co_return refused(conflict("draft", draft.version, expected_version));
  if (draft.base_version != entry.row.version && !force) {
    co_return refused(
        Error(ErrorClass::kFunction, "draft_outdated",
              fmt::format("The draft was begun on version {}, and the pipeline is at version {}.",
                          draft.base_version, entry.row.version),
              "Compare them, and deploy with \"force\" to put the draft in its place."));
  }
  Json body = draft.document;
  // A draft that says nothing about it leaves the pipeline as it is.
  if (!body.contains("enabled")) body.insert_or_assign("enabled", entry.row.enabled);
  co_return co_await impl->replace(id, std::move(body), actor.name, dry_run, true);
}

}  // namespace tributary::orchestrate
