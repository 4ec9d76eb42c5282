#include "store/store.hpp"

#include <soci/soci.h>
#include <future>

#include "base/id.hpp"
#include "runtime/log.hpp"
#include "store/data_dir.hpp"
#include "store/driven.hpp"
#include "store/migrations.hpp"
#include "store/sqlite.hpp"
#include "store/worker.hpp"

namespace tributary::store {

struct Store::Impl {
  explicit Impl(std::string boot) : boot_id(std::move(boot)) {}

  JobQueue& queue(Worker worker) {
    return worker == Worker::kWriter ? writer->queue() : reader->queue();
  }
  void step(Worker worker) {
    if (worker == Worker::kWriter) {
      writer->step();
    } else {
      reader->step();
    }
  }
  Result<void> start(std::unique_ptr<soci::session> write_session, const std::string& database,
                     Threading threading);
  // Driven only: asks for a step, unless one is due already.
  void ring(Worker worker);
  // Blocks until the job is done.
  Result<void> run_now(Worker worker, std::move_only_function<Result<void>(SessionRef)> work);

  std::optional<DataDir> dir;  // absent when driven
  std::string boot_id;
  std::string data_dir;
  bool unclean = false;
  // The reader is closed first: the last connection that closes is the one that may checkpoint.
  std::unique_ptr<Writer> writer;
  std::unique_ptr<Reader> reader;

  // Driven only.
  std::function<void(Worker, std::move_only_function<void()>)> schedule;
  std::array<bool, 2> due{};
  std::shared_ptr<Impl*> alive = std::make_shared<Impl*>(this);
};

// The writer's connection is open: opens the reader's and sets both to work.
Result<void> Store::Impl::start(std::unique_ptr<soci::session> write_session,
                                const std::string& database, Threading threading) {
  auto read_session = std::make_unique<soci::session>();
  TRIBUTARY_TRY(sqlite::open_reader(*read_session, database));
  writer = std::make_unique<Writer>(std::move(write_session), database, threading);
  reader = std::make_unique<Reader>(std::move(read_session), threading);
  return {};
}

void Store::Impl::ring(Worker worker) {
  if (std::exchange(due[static_cast<std::size_t>(worker)], true)) return;
  schedule(worker, [weak = std::weak_ptr(alive), worker] {
    const auto impl = weak.lock();
    if (!impl) return;
    Impl& self = **impl;
    self.due[static_cast<std::size_t>(worker)] = false;
    self.step(worker);
    if (!self.queue(worker).empty()) self.ring(worker);
  });
}

Result<void> Store::Impl::run_now(Worker worker,
                                  std::move_only_function<Result<void>(SessionRef)> work) {
  std::promise<Result<void>> promise;
  auto future = promise.get_future();
  queue(worker).push(
      {std::move(work), [&promise](Result<void> result) { promise.set_value(std::move(result)); }});
  while (schedule && !queue(worker).empty()) step(worker);
  return future.get();
}

namespace {

Result<std::unique_ptr<soci::session>> open_writer(const std::string& database, bool unclean,
                                                   UtcTime now) {
  auto session = std::make_unique<soci::session>();
  TRIBUTARY_TRY(sqlite::open_writer(*session, database));
  if (unclean) {
    log::info("store", "the last run did not stop in order: checking the database",
              {{"path", database}});
    TRIBUTARY_TRY(sqlite::check_integrity(*session, database));
  }
  TRIBUTARY_TRY(migrate(*session, migrations(), now));
  return session;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& data_dir, const Clock& clock) {
  auto dir = DataDir::open(data_dir);
  if (!dir) return fail(std::move(dir.error()));
  TRIBUTARY_TRY(dir->create_database_file());
  const std::string database = dir->database();
  auto session = open_writer(database, dir->was_unclean(), clock.utc_now());
  if (!session) return fail(std::move(session.error()));

  auto impl = std::make_unique<Impl>(make_id(clock.utc_now()));
  impl->data_dir = dir->path();
  impl->unclean = dir->was_unclean();
  impl->dir.emplace(std::move(*dir));
  TRIBUTARY_TRY(impl->start(*std::move(session), database, Threading::kOwnThread));
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Result<std::unique_ptr<Store>> Store::open_driven(Driven driven, const Clock& clock) {
  auto session = open_writer(driven.database, driven.unclean, clock.utc_now());
  if (!session) return fail(std::move(session.error()));
  auto impl = std::make_unique<Impl>(make_id(clock.utc_now()));
  impl->unclean = driven.unclean;
  impl->schedule = std::move(driven.schedule);
  TRIBUTARY_TRY(impl->start(*std::move(session), driven.database, Threading::kDriven));
  for (const Worker worker : {Worker::kWriter, Worker::kReader}) {
    impl->queue(worker).on_push([self = impl.get(), worker] { self->ring(worker); });
  }
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  impl_->reader.reset();
  const bool in_order = impl_->writer->stop();
  if (in_order && impl_->dir) impl_->dir->mark_clean();
}

void Store::post_write(std::move_only_function<Result<void>(SessionRef)> work,
                       std::move_only_function<void(Result<void>)> done) {
  impl_->writer->queue().push({std::move(work), std::move(done)});
}

void Store::post_read(std::move_only_function<Result<void>(SessionRef)> work,
                      std::move_only_function<void(Result<void>)> done) {
  impl_->reader->queue().push({std::move(work), std::move(done)});
}

Result<void> Store::write_now(std::move_only_function<Result<void>(SessionRef)> work) {
  return impl_->run_now(Worker::kWriter, std::move(work));
}

Result<void> Store::read_now(std::move_only_function<Result<void>(SessionRef)> work) {
  return impl_->run_now(Worker::kReader, std::move(work));
}

bool Store::was_unclean() const {
  return impl_->unclean;
}
const std::string& Store::boot_id() const {
  return impl_->boot_id;
}
const std::string& Store::data_dir() const {
  return impl_->data_dir;
}

}  // namespace tributary::store
