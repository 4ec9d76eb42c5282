#include "store/notices.hpp"

#include "store/query.hpp"

namespace tributary::store {
namespace {

const std::string kColumns =
    "id, version, name, enabled, document, created_at, updated_at, delivered, failed, dropped, "
    "last_delivery_at";

NoticeRow read_notice(Columns& columns) {
  NoticeRow row;
  row.id = columns.text();
  row.version = columns.number();
  row.name = columns.text();
  row.enabled = columns.flag();
  row.document = columns.document();
  row.created_at = columns.time();
  row.updated_at = columns.time();
  row.delivered = columns.number();
  row.failed = columns.number();
  row.dropped = columns.number();
  row.last_delivery_at = columns.maybe_time();
  return row;
}

OutboxRow read_outbox(Columns& columns) {
  OutboxRow row;
  row.id = columns.text();
  row.notice_id = columns.text();
  row.body = columns.text();
  row.created_at = columns.time();
  return row;
}

Result<void> done(Result<std::int64_t> changed) {
  TRIBUTARY_TRY(changed);
  return {};
}

}  // namespace

Result<void> Notices::insert(soci::session& sql, const NoticeRow& row) {
  return done(
      execute(sql,
              "insert into notices (" + kColumns +
                  ") values (:id, :version, :name, :enabled, :document, :created_at, "
                  ":updated_at, :delivered, :failed, :dropped, :last_delivery_at)",
              {row.id, row.version, row.name, row.enabled, row.document, row.created_at,
               row.updated_at, row.delivered, row.failed, row.dropped, row.last_delivery_at}));
}

Result<void> Notices::update(soci::session& sql, const NoticeRow& row) {
  auto stored = select_number(sql, "select version from notices where id = :id", {row.id});
  TRIBUTARY_TRY(check_version(std::move(stored), row.version, "notice"));
  return done(execute(sql,
                      "update notices set version = :version, name = :name, enabled = :enabled, "
                      "document = :document, updated_at = :updated_at where id = :id",
                      {row.version, row.name, row.enabled, row.document, row.updated_at, row.id}));
}

Result<void> Notices::remove(soci::session& sql, const std::string& id) {
  TRIBUTARY_TRY(expect_one(execute(sql, "delete from notices where id = :id", {id}),
                           "This notice does not exist."));
  TRIBUTARY_TRY(execute(sql, "delete from secrets where connection_id = :id", {id}));
  return Outbox::clear(sql, id);
}

Result<void> Notices::set_counters(soci::session& sql, const NoticeRow& row) {
  return done(execute(sql,
                      "update notices set delivered = :delivered, failed = :failed, dropped = "
                      ":dropped, last_delivery_at = :last_delivery_at where id = :id",
                      {row.delivered, row.failed, row.dropped, row.last_delivery_at, row.id}));
}

Result<std::vector<NoticeRow>> Notices::all(soci::session& sql) {
  return select(sql, "select " + kColumns + " from notices order by id", {}, &read_notice);
}

Result<void> Outbox::put(soci::session& sql, const OutboxRow& row) {
  return done(execute(sql,
                      "insert into notice_outbox (id, notice_id, body, created_at) values (:id, "
                      ":notice_id, :body, :created_at)",
                      {row.id, row.notice_id, row.body, row.created_at}));
}

Result<void> Outbox::remove(soci::session& sql, const std::string& id) {
  return done(execute(sql, "delete from notice_outbox where id = :id", {id}));
}

Result<void> Outbox::clear(soci::session& sql, const std::string& notice_id) {
  return done(execute(sql, "delete from notice_outbox where notice_id = :id", {notice_id}));
}

Result<std::vector<OutboxRow>> Outbox::all(soci::session& sql) {
  return select(sql,
                "select id, notice_id, body, created_at from notice_outbox order by created_at, id",
                {}, &read_outbox);
}

}  // namespace tributary::store
