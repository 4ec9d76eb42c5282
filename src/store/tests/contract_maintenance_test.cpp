#include "backend.hpp"
#include "store/repositories.hpp"

namespace tributary::store {
namespace {

MaintenanceWindowRow window(std::string id, std::string name) {
  MaintenanceWindowRow row;
  row.id = std::move(id);
  row.name = std::move(name);
  row.document = Json::parse(R"({"reason": "firmware", "timeZone": "Europe/Berlin"})");
  row.created_at = row.updated_at = UtcTime{std::chrono::seconds{1}};
  return row;
}

using MaintenanceContract = ContractTest;
INSTANTIATE_TEST_SUITE_P(Databases, MaintenanceContract, testing::Values("sqlite"));

TEST_P(MaintenanceContract, EveryFieldOfAWindowComesBackAfterAReopen) {
  MaintenanceWindowRow row = window("w1", "Night");
  row.applied_from = UtcTime{std::chrono::seconds{7}};
  ASSERT_EQ(write([&](soci::session& sql) { return MaintenanceWindows::insert(sql, row); }), "");
  reopen();
  const auto rows = read([](soci::session& sql) { return MaintenanceWindows::all(sql); });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].id, "w1");
  EXPECT_EQ(rows[0].version, 1);
  EXPECT_EQ(rows[0].name, "Night");
  EXPECT_EQ(rows[0].document, row.document);
  EXPECT_EQ(rows[0].applied_from, row.applied_from);
  EXPECT_EQ(rows[0].created_at, row.created_at);
}

TEST_P(MaintenanceContract, NamesAreUniqueAndVersionsCount) {
  ASSERT_EQ(write([](soci::session& sql) {
              return MaintenanceWindows::insert(sql, window("w1", "Night"));
            }),
            "");
  EXPECT_EQ(write([](soci::session& sql) {
              return MaintenanceWindows::insert(sql, window("w2", "Night"));
            }),
            "name_taken");
  MaintenanceWindowRow row = window("w1", "Day");
  EXPECT_EQ(write([&](soci::session& sql) { return MaintenanceWindows::update(sql, row); }),
            "version_conflict");
  row.version = 2;
  EXPECT_EQ(write([&](soci::session& sql) { return MaintenanceWindows::update(sql, row); }), "");
}

TEST_P(MaintenanceContract, TheCarriedOutOccurrenceChangesWithoutTheVersion) {
  ASSERT_EQ(write([](soci::session& sql) {
              return MaintenanceWindows::insert(sql, window("w1", "Night"));
            }),
            "");
  const UtcTime from{std::chrono::seconds{9}};
  ASSERT_EQ(
      write([&](soci::session& sql) { return MaintenanceWindows::set_applied(sql, "w1", from); }),
      "");
  const auto rows = read([](soci::session& sql) { return MaintenanceWindows::all(sql); });
  EXPECT_EQ(rows.at(0).applied_from, std::optional(from));
  EXPECT_EQ(rows.at(0).version, 1);
}

TEST_P(MaintenanceContract, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(write([](soci::session& sql) { return MaintenanceWindows::remove(sql, "w1"); }),
            "not_found");
}

}  // namespace
}  // namespace tributary::store
