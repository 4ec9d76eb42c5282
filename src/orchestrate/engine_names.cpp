// Documents that travel between hubs.
#include <fmt/format.h>

#include "orchestrate/engine_impl.hpp"
#include "orchestrate/model/warnings.hpp"

namespace tributary::orchestrate {
namespace {

constexpr int kMaxRenames = 1000;

// What the request calls things by other names here.
void add_aliases(HubNames& names, const Json& given, std::string_view member, ThingKind kind) {
  const Json& aliases = get_member(given, member);
  if (!aliases.is_object()) return;
  NameTable& table = names.of(kind);
  for (const auto& alias : aliases.object_range()) {
    if (!alias.value().is_string()) continue;
    const auto target = alias.value().as<std::string>();
    const std::string by_name = table.id_of(target);
    if (!by_name.empty()) {
      table.add_alias(std::string(alias.key()), by_name);
    } else if (!table.name_of(target).empty()) {
      table.add_alias(std::string(alias.key()), target);
    }
  }
}

std::vector<schema::FieldError> unknown_names(const std::vector<Reference>& references) {
  std::vector<schema::FieldError> problems;
  for (const Reference& reference : references) {
    if (!reference.id.empty()) continue;
    problems.push_back(
        {reference.pointer, fmt::format("unknown_{}", to_string(reference.kind)),
         fmt::format("There is no {} \"{}\" here.", to_string(reference.kind), reference.name)});
  }
  return problems;
}

}  // namespace

HubNames Engine::Impl::names() const {
  HubNames names;
  for (const FunctionInfo& function : functions->all_functions())
    names.functions.add(function.connection_name + "/" + function.name, function.id);
  for (const auto& [id, name] : functions->all_connections()) names.connections.add(name, id);
  for (const auto& [id, entry] : entries) names.pipelines.add(entry.row.name, id);
  return names;
}

Json Engine::exported(const PipelineView& pipeline, std::vector<Reference>& references) const {
  return with_names(body_of(pipeline.row), impl_->catalogue, impl_->names(), &references);
}

Task<Outcome<ImportReport>> Engine::import(ImportRequest request, Actor actor, bool dry_run) {
  auto impl = impl_;
  HubNames names = impl->names();
  add_aliases(names, request.names, "functions", ThingKind::kFunction);
  add_aliases(names, request.names, "connections", ThingKind::kConnection);
  add_aliases(names, request.names, "pipelines", ThingKind::kPipeline);
  ImportReport report;
  Json body = with_ids(request.body, impl->catalogue, names, &report.references);
  report.name = get_string(body, "name");
  report.conflict_id = impl->names().pipelines.id_of(report.name);
  report.action = "create";
  if (!report.conflict_id.empty()) {
    constexpr std::array<const char*, 3> kActions = {"refuse", "rename", "replace"};
    report.action = kActions[static_cast<std::size_t>(request.conflict)];
  }
  if (report.action == "rename") {
    const std::string wanted = report.name;
    for (int i = 2; i < kMaxRenames && !names.pipelines.id_of(report.name).empty(); ++i)
      report.name = fmt::format("{} ({})", wanted, i);
    body.insert_or_assign("name", report.name);
  }
  const bool replaces = report.action == "replace";
  bool enabled = request.enabled;
  if (replaces) enabled = impl->entries.at(report.conflict_id).row.enabled;
  body.insert_or_assign("enabled", enabled);

  report.findings = validate(body);
  // A name that is not known here leaves a node without its function: said once, with the name.
  auto unknown = unknown_names(report.references);
  std::erase_if(report.findings.problems, [&](const schema::FieldError& problem) {
    return std::ranges::any_of(unknown, [&](const schema::FieldError& missing) {
      const auto settings = missing.pointer.substr(0, missing.pointer.find("/settings/") + 9);
      return problem.pointer.starts_with(settings);
    });
  });
  report.findings.problems.insert(report.findings.problems.begin(), unknown.begin(), unknown.end());
  const bool possible = report.findings.problems.empty() && report.action != "refuse";
  if (!dry_run && !report.findings.problems.empty())
    co_return invalid(std::move(report.findings.problems));
  if (!dry_run && !possible) {
    co_return refused(Error(ErrorClass::kFunction, "name_taken",
                            fmt::format("There is a pipeline \"{}\" already.", report.name),
                            "Import it with \"conflict\": \"rename\" or \"replace\"."));
  }
  if (!possible) co_return report;
  if (!replaces) {
    auto made = co_await create(std::move(body), actor, dry_run);
    if (!made) co_return std::unexpected(std::move(made.error()));
    report.view = std::move(*made);
    co_return report;
  }
  auto gate = co_await impl->enter(report.conflict_id);
  if (!gate) co_return refused(no_such_pipeline().error());
  const Held held(gate);
  auto made =
      co_await impl->replace(report.conflict_id, std::move(body), actor.name, dry_run, false);
  if (!made) co_return std::unexpected(std::move(made.error()));
  report.view = std::move(*made);
  co_return report;
}

const NodeCatalogue& Engine::catalogue() const {
  return impl_->catalogue;
}
const FunctionPort& Engine::functions() const {
  return *impl_->functions;
}

}  // namespace tributary::orchestrate
