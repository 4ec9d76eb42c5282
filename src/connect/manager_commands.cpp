// Commands of people to connections, tests, history.
#include "connect/certificates/certificates.hpp"
#include "connect/certificates/draft.hpp"
#include "connect/diagnosis.hpp"
#include "connect/manager_impl.hpp"
#include "connect/named.hpp"
#include "connect/suspension.hpp"

namespace tributary::connect {

namespace {

std::string intent_of(const StateView& state, const std::string& present) {
  switch (state.status) {
    case Status::kSuspended:
      return "suspended";
    case Status::kIdle:
      return "stopped";
    case Status::kUnknown:
      return present;
    default:
      return "running";
  }
}

void take_over(store::ConnectionRow& row, const StateView& state) {
  row.intent = intent_of(state, row.intent);
  put_suspension(row, state.suspension);
}

lifecycle::Event event_of(const Order& order, const std::string& by, UtcTime now) {
  switch (order.command) {
    case Command::kStart:
      return lifecycle::Start{by, {}, false};
    case Command::kStop:
      return lifecycle::Stop{by};
    case Command::kRestart:
      return lifecycle::Restart{by};
    case Command::kSuspend:
      return lifecycle::Suspend{{order.reason, by, now, order.until, order.then}};
    case Command::kResume:
      break;
  }
  lifecycle::Resume resume{by};
  if (order.start) resume.then = lifecycle::Start{by, {}, false};
  return resume;
}

}  // namespace

Task<Result<ConnectionView>> Manager::Impl::command(std::string id, lifecycle::Event event) {
  auto found = find_usable(id);
  if (!found) co_return fail(std::move(found.error()));
  const auto target = (*found)->actor;
  auto run = [target, event = std::move(event)] { return target->command(event); };
  Result<StateView> state = co_await run_on(target->executor(), std::move(run));
  if (!state) co_return fail(std::move(state.error()));
  auto* entry = find(id);
  if (!entry)
    co_return fail(ErrorClass::kFunction, "not_found", "The connection was deleted meanwhile.");
  // The entry's state came with the actor's news, which overtook this answer; the answer may be
  // older.
  take_over(entry->row, *state);
  co_return to_view(*entry);
}

Task<Result<ConnectionView>> Manager::Impl::preview(std::string id, lifecycle::Event event) {
  auto found = find_usable(id);
  if (!found) co_return fail(std::move(found.error()));
  const auto target = (*found)->actor;
  auto ask = [](std::shared_ptr<ConnectionActor> actor,
                lifecycle::Event what) -> Task<Result<StateView>> {
    co_return actor->preview(what);
  };
  auto begin = [ask, target, event = std::move(event)] { return ask(target, event); };
  Result<StateView> state = co_await run_on(target->executor(), std::move(begin));
  if (!state) co_return fail(std::move(state.error()));
  auto* entry = find(id);
  if (!entry)
    co_return fail(ErrorClass::kFunction, "not_found", "The connection was deleted meanwhile.");
  ConnectionView view = to_view(*entry);
  take_over(view.row, *state);
  view.state = *std::move(state);
  co_return view;
}

Task<Result<ConnectionView>> Manager::start(std::string id, Actor actor) {
  lifecycle::Event event = lifecycle::Start{std::move(actor.name), {}, false};
  return impl_->command(std::move(id), std::move(event));
}

Task<Result<ConnectionView>> Manager::stop(std::string id, Actor actor) {
  lifecycle::Event event = lifecycle::Stop{std::move(actor.name)};
  return impl_->command(std::move(id), std::move(event));
}

Task<Result<ConnectionView>> Manager::restart(std::string id, Actor actor) {
  lifecycle::Event event = lifecycle::Restart{std::move(actor.name)};
  return impl_->command(std::move(id), std::move(event));
}

Task<Outcome<ConnectionView>> Manager::suspend(std::string id, std::string reason,
                                               std::optional<UtcTime> until, Actor actor,
                                               AfterSuspension then) {
  Order order;
  order.command = Command::kSuspend;
  order.reason = std::move(reason);
  order.until = until;
  order.then = then;
  return carry_out(std::move(id), std::move(order), std::move(actor), false);
}

Task<Result<ConnectionView>> Manager::resume(std::string id, bool start, Actor actor) {
  Order order;
  order.command = Command::kResume;
  order.start = start;
  lifecycle::Event event = event_of(order, actor.name, {});
  return impl_->command(std::move(id), std::move(event));
}

Task<Outcome<ConnectionView>> Manager::carry_out(std::string id, Order order, Actor actor,
                                                 bool dry_run) {
  const UtcTime now = impl_->runtime.clock().utc_now();
  auto errors = check_order(order, now);
  if (!errors.empty()) co_return invalid(std::move(errors));
  lifecycle::Event event = event_of(order, actor.name, now);
  auto work = dry_run ? impl_->preview(std::move(id), std::move(event))
                      : impl_->command(std::move(id), std::move(event));
  Result<ConnectionView> view = co_await std::move(work);
  if (!view) co_return refused(std::move(view.error()));
  co_return *std::move(view);
}

Task<Outcome<Diagnosis>> Manager::Impl::diagnose_row(store::ConnectionRow row,
                                                     std::vector<store::SecretRow> secrets,
                                                     const sdk::Entry& type, std::string known_as) {
  ConnectionEntry entry;
  entry.row = std::move(row);
  entry.secrets = std::move(secrets);
  entry.type = &type;
  ConnectionConfig trusting = *config_of(entry);
  trusting.trusted_certificates = certificates.trusted_for(known_as);
  const auto config = std::make_shared<const ConnectionConfig>(std::move(trusting));
  auto profile = open_profile(*config, vault);
  if (!profile) {
    Diagnosis diagnosis;
    diagnosis.stages.push_back({"settings", false, {}, profile.error()});
    co_return diagnosis;
  }
  const Executor worker = runtime.next_worker();
  auto work = [this, config, profile = *std::move(profile), worker] {
    return diagnose(config, profile, worker, runtime.clock(), runtime.timers(), network,
                    options.http);
  };
  Diagnosis diagnosis = co_await run_on(worker, std::move(work));
  const bool gone = !is_draft(known_as) && !find(known_as);
  if (diagnosis.shown && !gone) certificates.shown(known_as, *diagnosis.shown);
  co_return diagnosis;
}

Task<Outcome<Diagnosis>> Manager::test(std::string id) {
  auto found = impl_->find_usable(id);
  if (!found) co_return refused(std::move(found.error()));
  auto row = (*found)->row;
  auto secrets = (*found)->secrets;
  const auto& type = *(*found)->type;
  co_return co_await impl_->diagnose_row(std::move(row), std::move(secrets), type, std::move(id));
}

Task<Outcome<Diagnosis>> Manager::test_unsaved(Json body, Actor actor) {
  auto errors = check_connection_body(body, impl_->registry);
  if (!errors.empty()) co_return invalid(std::move(errors));
  store::ConnectionRow row;
  from_body(body, row);
  row.id = "unsaved";
  auto secrets = seal_secrets(impl_->vault, row.id, {}, get_member(body, "secrets"),
                              impl_->runtime.clock().utc_now());
  const auto* type = impl_->registry.find(row.type);
  const Json settings = type->connection.with_defaults(row.settings);
  std::string draft = draft_id(actor.name, row.type, target_of(settings, row.id));
  co_return co_await impl_->diagnose_row(std::move(row), std::move(secrets), *type,
                                         std::move(draft));
}

Task<Result<sdk::BrowsePage>> Manager::browse(std::string id, std::string node,
                                              std::string cursor) {
  auto found = impl_->find_usable(id);
  if (!found) co_return fail(std::move(found.error()));
  const auto target = (*found)->actor;
  auto run = [target, node = std::move(node), cursor = std::move(cursor)] {
    return target->browse(node, cursor);
  };
  co_return co_await run_on(target->executor(), std::move(run));
}

Task<Result<Batch>> Manager::read_nodes(std::string id, std::vector<std::string> nodes) {
  auto found = impl_->find_usable(id);
  if (!found) co_return fail(std::move(found.error()));
  const auto target = (*found)->actor;
  auto run = [target, nodes = std::move(nodes)]() mutable {
    return target->read_nodes(std::move(nodes));
  };
  co_return co_await run_on(target->executor(), std::move(run));
}

Task<Result<std::vector<store::HistoryRow>>> Manager::events(std::string id, UtcTime from,
                                                             UtcTime to, std::int64_t after,
                                                             std::size_t limit) {
  return impl_->store.read<std::vector<store::HistoryRow>>(
      [id = std::move(id), from, to, after, limit](soci::session& sql) {
        return store::History::range(sql, id, from, to, after, limit);
      });
}

}  // namespace tributary::connect
