#include "store/certificates.hpp"

#include "backend.hpp"
#include "store/node_identity.hpp"

namespace tributary::store {
namespace {

using std::chrono::microseconds;

CertificateRow row_of(const std::string& connection, const std::string& state) {
  CertificateRow row;
  row.connection_id = connection;
  row.sha256 = "ab";
  row.state = state;
  row.pem = "PEM";
  row.code = "certificate_untrusted";
  row.message = "Nobody knows its issuer";
  row.first_seen = row.last_seen = UtcTime{microseconds{1'700'000'000'000'001}};
  return row;
}

class CertificateRows : public testing::Test {
 protected:
  std::vector<CertificateRow> all() {
    std::vector<CertificateRow> rows;
    EXPECT_TRUE(store_->read_now([&rows](soci::session& sql) -> Result<void> {
      auto found = Certificates::all(sql);
      if (!found) return fail(std::move(found.error()));
      rows = *std::move(found);
      return {};
    }));
    return rows;
  }
  SystemClock clock_;
  SqliteBackend backend_;
  std::unique_ptr<Store> store_ = *backend_.open(clock_);
};

TEST_F(CertificateRows, come_back_as_they_were_and_are_replaced_by_connection_and_fingerprint) {
  CertificateRow trusted = row_of("c1", "trusted");
  trusted.decided_by = "anna";
  trusted.decided_at = trusted.last_seen + microseconds{5};
  ASSERT_TRUE(store_->write_now([&](soci::session& sql) -> Result<void> {
    TRIBUTARY_TRY(Certificates::put(sql, row_of("c1", "rejected")));
    TRIBUTARY_TRY(Certificates::put(sql, row_of("c2", "rejected")));
    return Certificates::put(sql, trusted);
  }));
  const auto rows = all();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].state, "trusted");
  EXPECT_EQ(rows[0].decided_by, "anna");
  EXPECT_EQ(rows[0].decided_at, trusted.decided_at);
  EXPECT_EQ(rows[0].first_seen, trusted.first_seen);
  EXPECT_EQ(rows[1].state, "rejected");
  EXPECT_FALSE(rows[1].decided_at);
}

TEST_F(CertificateRows, go_alone_or_with_their_connection) {
  ASSERT_TRUE(store_->write_now([&](soci::session& sql) -> Result<void> {
    for (const std::string id : {"c1", "c2", "c3"}) {
      TRIBUTARY_TRY(Certificates::put(sql, row_of(id, "rejected")));
    }
    TRIBUTARY_TRY(Certificates::remove(sql, "c1", "ab"));
    return Certificates::remove_all(sql, "c2");
  }));
  ASSERT_EQ(all().size(), 1U);
  EXPECT_EQ(all()[0].connection_id, "c3");
}

TEST(NodeIdentity, edge_09_stays_with_its_directory_and_not_with_a_copy_of_it) {
  const TemporaryDirectory parent;
  const std::string home = parent.path() + "/data";
  std::filesystem::create_directory(home);
  const auto first = node_id(home, UtcTime{});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(node_id(home, UtcTime{}).value(), *first);

  const std::string copy = parent.path() + "/copy";
  std::filesystem::copy(home, copy, std::filesystem::copy_options::recursive);
  const auto second = node_id(copy, UtcTime{});
  ASSERT_TRUE(second.has_value());
  EXPECT_NE(*second, *first);

  const std::string moved = parent.path() + "/moved";
  std::filesystem::rename(home, moved);
  EXPECT_EQ(node_id(moved, UtcTime{}).value(), *first);
}

}  // namespace
}  // namespace tributary::store
