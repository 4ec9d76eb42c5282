// Contract of the repositories for connections, secrets, functions and their history, on every
// database.
#include "store/connection_versions.hpp"
#include "store/tests/backend.hpp"

namespace tributary::store {
namespace {

Json object(std::string_view text) {
  return parse_json(text).value();
}

UtcTime at(std::int64_t second) {
  return UtcTime{std::chrono::seconds{1'700'000'000 + second}};
}

ConnectionRow connection(const std::string& id, const std::string& name) {
  ConnectionRow row;
  row.id = id;
  row.name = name;
  row.type = "modbus";
  row.description = "filler, \"line 3\"; it's ü";
  row.labels = object(R"({"site":"izmir","line":"3"})");
  row.settings = object(R"({"host":"192.0.2.10","port":502,"big":9007199254740993})");
  row.reconnect = object("{}");
  row.autostart = true;
  row.created_at = at(0) + std::chrono::microseconds{123};
  row.updated_at = at(1);
  return row;
}

FunctionRow function(const std::string& id, const std::string& connection_id,
                     const std::string& name) {
  FunctionRow row;
  row.id = id;
  row.connection_id = connection_id;
  row.name = name;
  row.type = "modbus.read";
  row.settings = object(R"({"points":[]})");
  row.created_at = row.updated_at = at(0);
  return row;
}

HistoryRow history(const std::string& id, std::int64_t seq, std::string from, std::string to,
                   std::int64_t second) {
  HistoryRow row;
  row.connection_id = id;
  row.seq = seq;
  row.epoch = 1;
  row.from = std::move(from);
  row.to = std::move(to);
  row.at = at(second);
  row.monotonic_ns = 4'000'000'000'000 + seq;
  row.boot_id = "boot";
  return row;
}

// The versions of the connection c1, newest first.
Result<std::vector<ConnectionVersionRow>> versions(soci::session& sql) {
  return ConnectionVersions::all(sql, "c1");
}

using ConnectionContract = ContractTest;
INSTANTIATE_TEST_SUITE_P(Databases, ConnectionContract, testing::Values("sqlite"));

TEST_P(ConnectionContract, EveryFieldOfAVersionComesBackUntilItsConnectionGoes) {
  ConnectionRow row = connection("c1", "Line 3 PLC");
  ASSERT_EQ(write([&](soci::session& sql) { return Connections::insert(sql, row); }), "");
  ASSERT_EQ(write([&](soci::session& sql) {
              return ConnectionVersions::add(sql, row, object(R"(["password"])"), "admin");
            }),
            "");
  reopen();
  const auto kept = read(&versions);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].connection_id, "c1");
  EXPECT_EQ(kept[0].version, 1);
  EXPECT_EQ(kept[0].name, row.name);
  EXPECT_EQ(kept[0].description, row.description);
  EXPECT_EQ(kept[0].labels, row.labels);
  EXPECT_EQ(kept[0].settings, row.settings);
  EXPECT_EQ(kept[0].reconnect, row.reconnect);
  EXPECT_TRUE(kept[0].autostart);
  EXPECT_EQ(to_text(kept[0].changed_secrets), R"(["password"])");
  EXPECT_EQ(kept[0].actor, "admin");
  EXPECT_EQ(kept[0].at, row.updated_at);
  ASSERT_EQ(write([](soci::session& sql) { return Connections::remove(sql, "c1"); }), "");
  EXPECT_TRUE(read(&versions).empty());
}

TEST_P(ConnectionContract, OnlyTheLastVersionsAreKept) {
  ConnectionRow row = connection("c1", "a");
  const Json none = object("[]");
  for (row.version = 1; row.version <= kMostConnectionVersions + 3; ++row.version) {
    ASSERT_EQ(
        write([&](soci::session& sql) { return ConnectionVersions::add(sql, row, none, ""); }), "");
  }
  const auto kept = read(&versions);
  ASSERT_EQ(std::ssize(kept), kMostConnectionVersions);
  EXPECT_EQ(kept.front().version, kMostConnectionVersions + 3);
  EXPECT_EQ(kept.back().version, 4);
}

TEST_P(ConnectionContract, EveryFieldOfAConnectionComesBackAfterAReopen) {
  ConnectionRow row = connection("c1", "Line 3 PLC");
  row.intent = "suspended";
  row.suspend_reason = "valve replacement";
  row.suspended_by = "operator1";
  row.suspended_at = at(5);
  ASSERT_EQ(write([&](soci::session& sql) { return Connections::insert(sql, row); }), "");
  reopen();
  const auto rows = read([](soci::session& sql) { return Connections::all(sql); });
  ASSERT_EQ(rows.size(), 1u);
  const ConnectionRow& found = rows[0];
  EXPECT_EQ(found.id, "c1");
  EXPECT_EQ(found.version, 1);
  EXPECT_EQ(found.name, "Line 3 PLC");
  EXPECT_EQ(found.type, "modbus");
  EXPECT_EQ(found.description, row.description);
  EXPECT_EQ(to_text(found.labels), R"({"site":"izmir","line":"3"})") << "members keep their order";
  EXPECT_EQ(to_text(found.settings), R"({"host":"192.0.2.10","port":502,"big":9007199254740993})");
  EXPECT_TRUE(found.autostart);
  EXPECT_EQ(found.intent, "suspended");
  EXPECT_EQ(found.suspend_reason, "valve replacement");
  EXPECT_EQ(found.suspended_by, "operator1");
  EXPECT_EQ(found.suspended_at, std::optional(at(5)));
  EXPECT_EQ(found.suspended_until, std::nullopt);
  EXPECT_EQ(found.created_at, row.created_at) << "to the microsecond";
  EXPECT_EQ(found.updated_at, at(1));
}

TEST_P(ConnectionContract, ASecondConnectionOfTheSameNameIsRefused) {
  ASSERT_EQ(
      write([](soci::session& sql) { return Connections::insert(sql, connection("c1", "PLC")); }),
      "");
  EXPECT_EQ(
      write([](soci::session& sql) { return Connections::insert(sql, connection("c2", "PLC")); }),
      "name_taken");
  EXPECT_EQ(read([](soci::session& sql) { return Connections::all(sql); }).size(), 1u);
}

TEST_P(ConnectionContract, RenamingToATakenNameIsRefusedAndKeepingTheNameIsNot) {
  ASSERT_EQ(
      write([](soci::session& sql) { return Connections::insert(sql, connection("c1", "one")); }),
      "");
  ASSERT_EQ(
      write([](soci::session& sql) { return Connections::insert(sql, connection("c2", "two")); }),
      "");
  ConnectionRow row = connection("c2", "one");
  row.version = 2;
  EXPECT_EQ(write([&](soci::session& sql) { return Connections::update(sql, row); }), "name_taken");
  row.name = "two";
  row.description = "changed";
  EXPECT_EQ(write([&](soci::session& sql) { return Connections::update(sql, row); }), "");
  EXPECT_EQ(read([](soci::session& sql) { return Connections::all(sql); })[1].description,
            "changed");
}

TEST_P(ConnectionContract, AnUpdateOnAnOldVersionIsAConflict) {
  ASSERT_EQ(
      write([](soci::session& sql) { return Connections::insert(sql, connection("c1", "PLC")); }),
      "");
  ConnectionRow row = connection("c1", "PLC");
  row.version = 2;
  ASSERT_EQ(write([&](soci::session& sql) { return Connections::update(sql, row); }), "");
  row.description = "late";
  EXPECT_EQ(write([&](soci::session& sql) { return Connections::update(sql, row); }),
            "version_conflict");
  row.version = 4;
  EXPECT_EQ(write([&](soci::session& sql) { return Connections::update(sql, row); }),
            "version_conflict");
  EXPECT_NE(read([](soci::session& sql) { return Connections::all(sql); })[0].description, "late");
}

TEST_P(ConnectionContract, ChangingOrRemovingWhatIsNotThereIsNotFound) {
  ConnectionRow row = connection("c1", "PLC");
  row.version = 2;
  EXPECT_EQ(write([&](soci::session& sql) { return Connections::update(sql, row); }), "not_found");
  EXPECT_EQ(write([&](soci::session& sql) { return Connections::set_intent(sql, row); }),
            "not_found");
  EXPECT_EQ(write([](soci::session& sql) { return Connections::remove(sql, "c1"); }), "not_found");
  EXPECT_EQ(write([](soci::session& sql) { return Functions::remove(sql, "f1"); }), "not_found");
  EXPECT_EQ(write([](soci::session& sql) { return Secrets::remove(sql, "c1", "password"); }),
            "not_found");
}

TEST_P(ConnectionContract, edge_13_AnEditKeepsIntentAndSuspension) {
  ASSERT_EQ(
      write([](soci::session& sql) { return Connections::insert(sql, connection("c1", "PLC")); }),
      "");
  ConnectionRow suspended = connection("c1", "PLC");
  suspended.intent = "suspended";
  suspended.suspend_reason = "valve replacement";
  suspended.suspended_by = "operator1";
  suspended.suspended_at = at(5);
  suspended.suspended_until = at(9);
  suspended.suspend_then = "resume";
  suspended.suspend_window = "w1";
  ASSERT_EQ(write([&](soci::session& sql) { return Connections::set_intent(sql, suspended); }), "");
  // The edit read the row before the suspension was stored.
  ConnectionRow edited = connection("c1", "Filler");
  edited.version = 2;
  edited.intent = "running";
  ASSERT_EQ(write([&](soci::session& sql) { return Connections::update(sql, edited); }), "");
  reopen();
  const auto found = read([](soci::session& sql) { return Connections::all(sql); }).at(0);
  EXPECT_EQ(found.name, "Filler");
  EXPECT_EQ(found.intent, "suspended");
  EXPECT_EQ(found.suspend_reason, "valve replacement");
  EXPECT_EQ(found.suspended_by, "operator1");
  EXPECT_EQ(found.suspended_until, std::optional(at(9)));
  EXPECT_EQ(found.suspend_then, "resume");
  EXPECT_EQ(found.suspend_window, "w1");
}

TEST_P(ConnectionContract, IntentChangesWithoutTouchingVersionOrSettings) {
  ASSERT_EQ(
      write([](soci::session& sql) { return Connections::insert(sql, connection("c1", "PLC")); }),
      "");
  ConnectionRow row = connection("c1", "ignored");
  row.version = 77;
  row.intent = "running";
  ASSERT_EQ(write([&](soci::session& sql) { return Connections::set_intent(sql, row); }), "");
  const auto rows = read([](soci::session& sql) { return Connections::all(sql); });
  EXPECT_EQ(rows[0].intent, "running");
  EXPECT_EQ(rows[0].version, 1);
  EXPECT_EQ(rows[0].name, "PLC");
}

TEST_P(ConnectionContract, RemovingAConnectionTakesItsFunctionsAndSecretsAndLeavesItsHistory) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(Connections::insert(sql, connection("c1", "one")));
              TRIBUTARY_TRY(Connections::insert(sql, connection("c2", "two")));
              for (const char* id : {"c1", "c2"}) {
                TRIBUTARY_TRY(Functions::insert(sql, function(std::string("f-") + id, id, "read")));
                TRIBUTARY_TRY(Secrets::put(sql, {id, "password", "sealed", 1, at(0)}));
                TRIBUTARY_TRY(History::append(sql, history(id, 1, "", "Idle", 0)));
              }
              return Connections::remove(sql, "c1");
            }),
            "");
  const auto functions = read([](soci::session& sql) { return Functions::all(sql); });
  ASSERT_EQ(functions.size(), 1u);
  EXPECT_EQ(functions[0].id, "f-c2");
  const auto secrets = read([](soci::session& sql) { return Secrets::all(sql); });
  ASSERT_EQ(secrets.size(), 1u);
  EXPECT_EQ(secrets[0].connection_id, "c2");
  const auto kept =
      read([](soci::session& sql) { return History::range(sql, "c1", at(0), at(9), 0, 10); });
  EXPECT_EQ(kept.size(), 1u) << "history is a tombstone";
}

TEST_P(ConnectionContract, PuttingASecretAgainReplacesIt) {
  ASSERT_EQ(write([](soci::session& sql) {
              return Secrets::put(sql, {"c1", "password", "old", 1, at(0)});
            }),
            "");
  ASSERT_EQ(write([](soci::session& sql) {
              return Secrets::put(sql, {"c1", "password", "new", 2, at(7)});
            }),
            "");
  const auto secrets = read([](soci::session& sql) { return Secrets::all(sql); });
  ASSERT_EQ(secrets.size(), 1u);
  EXPECT_EQ(secrets[0].sealed, "new");
  EXPECT_EQ(secrets[0].version, 2);
  EXPECT_EQ(secrets[0].changed_at, at(7));
}

TEST_P(ConnectionContract, FunctionNamesAreUniqueWithinTheirConnectionOnly) {
  ASSERT_EQ(write([](soci::session& sql) {
              return Functions::insert(sql, function("f1", "c1", "read"));
            }),
            "");
  EXPECT_EQ(write([](soci::session& sql) {
              return Functions::insert(sql, function("f2", "c2", "read"));
            }),
            "");
  EXPECT_EQ(write([](soci::session& sql) {
              return Functions::insert(sql, function("f3", "c1", "read"));
            }),
            "name_taken");
}

TEST_P(ConnectionContract, FunctionsKeepTheirFieldsAndVersionsAreChecked) {
  FunctionRow row = function("f1", "c1", "read");
  ASSERT_EQ(write([&](soci::session& sql) { return Functions::insert(sql, row); }), "");
  row.enabled = false;
  row.idempotent = false;
  row.expect_ms = 5000;
  row.settings = object(R"({"points":[{"name":"speed"}]})");
  EXPECT_EQ(write([&](soci::session& sql) { return Functions::update(sql, row); }),
            "version_conflict");
  row.version = 2;
  ASSERT_EQ(write([&](soci::session& sql) { return Functions::update(sql, row); }), "");
  const auto rows = read([](soci::session& sql) { return Functions::all(sql); });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].version, 2);
  EXPECT_FALSE(rows[0].enabled);
  EXPECT_EQ(rows[0].idempotent, false);
  EXPECT_EQ(rows[0].expect_ms, 5000);
  EXPECT_EQ(rows[0].type, "modbus.read");
  EXPECT_EQ(to_text(rows[0].settings), R"({"points":[{"name":"speed"}]})");
}

TEST_P(ConnectionContract, AFunctionThatSaysNothingAboutRepeatingStaysSilent) {
  const FunctionRow row = function("f1", "c1", "read");
  ASSERT_EQ(write([&](soci::session& sql) { return Functions::insert(sql, row); }), "");
  const auto rows = read([](soci::session& sql) { return Functions::all(sql); });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].idempotent, std::nullopt);
  EXPECT_EQ(rows[0].expect_ms, 0);
}

TEST_P(ConnectionContract, AHistoryRowKeepsItsFieldsAndNeitherRepeatsNorSkipsANumber) {
  HistoryRow first = history("c1", 1, "", "Idle", 0);
  first.cause_class = "Transient";
  first.cause_code = "connection_refused";
  first.cause_message = "192.0.2.10:502 refused the connection";
  first.note = "created";
  first.actor = "admin";
  ASSERT_EQ(write([&](soci::session& sql) { return History::append(sql, first); }), "");
  EXPECT_EQ(write([&](soci::session& sql) { return History::append(sql, first); }), "history_gap");
  EXPECT_EQ(write([](soci::session& sql) {
              return History::append(sql, history("c1", 3, "Idle", "Connecting", 1));
            }),
            "history_gap");
  const auto rows =
      read([](soci::session& sql) { return History::range(sql, "c1", at(0), at(9), 0, 10); });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].cause_class, "Transient");
  EXPECT_EQ(rows[0].cause_code, "connection_refused");
  EXPECT_EQ(rows[0].cause_message, first.cause_message);
  EXPECT_EQ(rows[0].note, "created");
  EXPECT_EQ(rows[0].actor, "admin");
  EXPECT_EQ(rows[0].monotonic_ns, first.monotonic_ns);
  EXPECT_EQ(rows[0].boot_id, "boot");
}

TEST_P(ConnectionContract, ARangeIsHalfOpenPagedAndOrderedBySequence) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              for (std::int64_t i = 1; i <= 10; ++i) {
                TRIBUTARY_TRY(History::append(sql, history("c1", i, "Idle", "Idle", i)));
              }
              return History::append(sql, history("c2", 1, "", "Idle", 5));
            }),
            "");
  const auto page =
      read([](soci::session& sql) { return History::range(sql, "c1", at(3), at(9), 0, 4); });
  ASSERT_EQ(page.size(), 4u);
  EXPECT_EQ(page.front().seq, 3) << "from is included";
  const auto rest =
      read([](soci::session& sql) { return History::range(sql, "c1", at(3), at(9), 6, 100); });
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest.back().seq, 8) << "to is not";
}

TEST_P(ConnectionContract, LastRowsAreTheNewestOfEachConnectionThatExists) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(Connections::insert(sql, connection("c1", "one")));
              TRIBUTARY_TRY(Connections::insert(sql, connection("c2", "two")));
              TRIBUTARY_TRY(History::append(sql, history("c1", 1, "", "Idle", 0)));
              TRIBUTARY_TRY(History::append(sql, history("c1", 2, "Idle", "Connecting", 1)));
              TRIBUTARY_TRY(History::append(sql, history("c2", 1, "", "Idle", 0)));
              return History::append(sql, history("gone", 1, "", "Idle", 0));
            }),
            "");
  const auto rows = read([](soci::session& sql) { return History::last_rows(sql); });
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].connection_id, "c1");
  EXPECT_EQ(rows[0].seq, 2);
  EXPECT_EQ(rows[1].connection_id, "c2");
}

}  // namespace
}  // namespace tributary::store
