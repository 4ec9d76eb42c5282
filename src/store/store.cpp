#include "store/store.hpp"

#include <soci/soci.h>
#include <future>

#include "base/id.hpp"
#include "runtime/log.hpp"
#include "store/data_dir.hpp"
#include "store/migrations.hpp"
#include "store/sqlite.hpp"
#include "store/worker.hpp"

namespace tributary::store {

struct Store::Impl {
  Impl(DataDir dir_, std::string boot) : dir(std::move(dir_)), boot_id(std::move(boot)) {}

  DataDir dir;
  std::string boot_id;
  // The reader is closed first: the last connection that closes is the one that may checkpoint.
  std::unique_ptr<Writer> writer;
  std::unique_ptr<Reader> reader;
};

namespace {

// Blocks until the job is done.
Result<void> wait_for(JobQueue& queue, std::move_only_function<Result<void>(SessionRef)> work) {
  std::promise<Result<void>> promise;
  auto future = promise.get_future();
  queue.push(
      {std::move(work), [&promise](Result<void> result) { promise.set_value(std::move(result)); }});
  return future.get();
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& data_dir, const Clock& clock) {
  auto dir = DataDir::open(data_dir);
  if (!dir) return fail(std::move(dir.error()));
  TRIBUTARY_TRY(dir->create_database_file());
  const std::string database = dir->database();

  auto write_session = std::make_unique<soci::session>();
  TRIBUTARY_TRY(sqlite::open_writer(*write_session, database));
  if (dir->was_unclean()) {
    log::info("store", "the last run did not stop in order: checking the database",
              {{"path", database}});
    TRIBUTARY_TRY(sqlite::check_integrity(*write_session, database));
  }
  TRIBUTARY_TRY(migrate(*write_session, migrations(), clock.utc_now()));
  auto read_session = std::make_unique<soci::session>();
  TRIBUTARY_TRY(sqlite::open_reader(*read_session, database));

  auto impl = std::make_unique<Impl>(std::move(*dir), make_id(clock.utc_now()));
  impl->writer = std::make_unique<Writer>(std::move(write_session), database);
  impl->reader = std::make_unique<Reader>(std::move(read_session));
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  impl_->reader.reset();
  if (impl_->writer->stop()) impl_->dir.mark_clean();
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
  return wait_for(impl_->writer->queue(), std::move(work));
}

Result<void> Store::read_now(std::move_only_function<Result<void>(SessionRef)> work) {
  return wait_for(impl_->reader->queue(), std::move(work));
}

bool Store::was_unclean() const {
  return impl_->dir.was_unclean();
}
const std::string& Store::boot_id() const {
  return impl_->boot_id;
}
const std::string& Store::data_dir() const {
  return impl_->dir.path();
}

}  // namespace tributary::store
