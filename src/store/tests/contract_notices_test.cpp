// Notices and their outbox, against every database.
#include "store/notices.hpp"

#include "store/tests/backend.hpp"

namespace tributary::store {
namespace {

NoticeRow notice(const std::string& id, const std::string& name) {
  NoticeRow row;
  row.id = id;
  row.name = name;
  row.document = *parse_json(R"({"url": "http://192.0.2.1/hook", "forMs": 0})");
  row.created_at = row.updated_at = UtcTime{std::chrono::seconds{1'700'000'000}};
  return row;
}

OutboxRow message(const std::string& id, const std::string& notice_id, int second) {
  return {id, notice_id, R"({"id": "x"})", UtcTime{std::chrono::seconds{second}}};
}

class NoticesContract : public ContractTest {
 protected:
  std::vector<NoticeRow> notices() {
    return read([](soci::session& sql) { return Notices::all(sql); });
  }
  std::vector<std::string> outbox() {
    std::vector<std::string> ids;
    for (const auto& row : read([](soci::session& sql) { return Outbox::all(sql); }))
      ids.push_back(row.id);
    return ids;
  }
  std::string put(const OutboxRow& row) {
    return write([&](SessionRef sql) { return Outbox::put(sql, row); });
  }
};

TEST_P(NoticesContract, ANoticeComesBackAsItWasStored) {
  EXPECT_EQ(write([](SessionRef sql) { return Notices::insert(sql, notice("N1", "shift")); }), "");
  reopen();
  const auto all = notices();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].name, "shift");
  EXPECT_TRUE(all[0].enabled);
  EXPECT_EQ(get_string(all[0].document, "url"), "http://192.0.2.1/hook");
  EXPECT_FALSE(all[0].last_delivery_at);
}

TEST_P(NoticesContract, AnEditNeedsTheNextVersionAndLeavesTheCountersAlone) {
  NoticeRow row = notice("N1", "shift");
  EXPECT_EQ(write([&](SessionRef sql) { return Notices::insert(sql, row); }), "");
  row.delivered = 7;
  row.last_delivery_at = UtcTime{std::chrono::seconds{9}};
  EXPECT_EQ(write([&](SessionRef sql) { return Notices::set_counters(sql, row); }), "");
  row.delivered = 0;
  row.name = "night";
  EXPECT_EQ(write([&](SessionRef sql) { return Notices::update(sql, row); }), "version_conflict");
  row.version = 2;
  EXPECT_EQ(write([&](SessionRef sql) { return Notices::update(sql, row); }), "");
  const auto all = notices();
  EXPECT_EQ(all[0].name, "night");
  EXPECT_EQ(all[0].delivered, 7);
  EXPECT_EQ(all[0].last_delivery_at, UtcTime{std::chrono::seconds{9}});
}

TEST_P(NoticesContract, TheOutboxKeepsItsOrder) {
  EXPECT_EQ(put(message("b", "N1", 1)), "");
  EXPECT_EQ(put(message("a", "N1", 2)), "");
  EXPECT_EQ(put(message("c", "N2", 3)), "");
  reopen();
  EXPECT_EQ(outbox(), (std::vector<std::string>{"b", "a", "c"}));
  EXPECT_EQ(write([](SessionRef sql) { return Outbox::remove(sql, "a"); }), "");
  EXPECT_EQ(write([](SessionRef sql) { return Outbox::remove(sql, "a"); }), "") << "gone already";
  EXPECT_EQ(outbox(), (std::vector<std::string>{"b", "c"}));
}

TEST_P(NoticesContract, ANoticeTakesItsOutboxAndItsSecretsWithIt) {
  EXPECT_EQ(write([](SessionRef sql) { return Notices::insert(sql, notice("N1", "shift")); }), "");
  EXPECT_EQ(put(message("a", "N1", 1)), "");
  EXPECT_EQ(put(message("b", "N2", 1)), "");
  const SecretRow secret{"N1", "secret", "sealed", 1, {}};
  EXPECT_EQ(write([&](SessionRef sql) { return Secrets::put(sql, secret); }), "");
  EXPECT_EQ(write([](SessionRef sql) { return Notices::remove(sql, "N1"); }), "");
  EXPECT_EQ(outbox(), std::vector<std::string>{"b"});
  EXPECT_TRUE(read([](soci::session& sql) { return Secrets::all(sql); }).empty());
  EXPECT_EQ(write([](SessionRef sql) { return Notices::remove(sql, "N1"); }), "not_found");
}

INSTANTIATE_TEST_SUITE_P(Databases, NoticesContract, testing::Values("sqlite"));

}  // namespace
}  // namespace tributary::store
