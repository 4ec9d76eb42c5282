#include "store/certificates.hpp"

#include "store/query.hpp"

namespace tributary::store {

namespace {

CertificateRow read_certificate(Columns& columns) {
  CertificateRow row;
  row.connection_id = columns.text();
  row.sha256 = columns.text();
  row.state = columns.text();
  row.pem = columns.text();
  row.code = columns.text();
  row.message = columns.text();
  row.first_seen = columns.time();
  row.last_seen = columns.time();
  row.decided_by = columns.text();
  row.decided_at = columns.maybe_time();
  return row;
}

}  // namespace

Result<void> Certificates::put(soci::session& sql, const CertificateRow& row) {
  TRIBUTARY_TRY(execute(
      sql,
      "insert into certificates (connection_id, sha256, state, pem, code, message, first_seen, "
      "last_seen, decided_by, decided_at) values (:connection_id, :sha256, :state, :pem, :code, "
      ":message, :first_seen, :last_seen, :decided_by, :decided_at) on conflict (connection_id, "
      "sha256) do update set state = excluded.state, code = excluded.code, message = "
      "excluded.message, last_seen = excluded.last_seen, decided_by = excluded.decided_by, "
      "decided_at = excluded.decided_at",
      {row.connection_id, row.sha256, row.state, row.pem, row.code, row.message, row.first_seen,
       row.last_seen, row.decided_by, row.decided_at}));
  return {};
}

Result<void> Certificates::remove(soci::session& sql, const std::string& connection_id,
                                  const std::string& sha256) {
  TRIBUTARY_TRY(execute(sql,
                        "delete from certificates where connection_id = :connection_id and sha256 "
                        "= :sha256",
                        {connection_id, sha256}));
  return {};
}

Result<void> Certificates::remove_all(soci::session& sql, const std::string& connection_id) {
  TRIBUTARY_TRY(execute(sql, "delete from certificates where connection_id = :connection_id",
                        {connection_id}));
  return {};
}

Result<std::vector<CertificateRow>> Certificates::all(soci::session& sql) {
  return select(sql,
                "select connection_id, sha256, state, pem, code, message, first_seen, last_seen, "
                "decided_by, decided_at from certificates order by connection_id, sha256",
                {}, &read_certificate);
}

}  // namespace tributary::store
