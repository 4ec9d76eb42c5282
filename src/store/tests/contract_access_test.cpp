// Contract of the repositories for pipelines, runs, users, tokens, sessions, audit and kept
// answers, on every database.
#include "store/tests/backend.hpp"

namespace tributary::store {
namespace {

Json object(std::string_view text) {
  return parse_json(text).value();
}

UtcTime at(std::int64_t second) {
  return UtcTime{std::chrono::seconds{1'700'000'000 + second}};
}

PipelineRow pipeline(const std::string& id) {
  PipelineRow row;
  row.id = id;
  row.name = "filler to broker";
  row.document = object(R"({"nodes":[],"edges":[]})");
  row.created_at = row.updated_at = at(0);
  return row;
}

RunRow run(const std::string& id, const std::string& pipeline_id, const std::string& status) {
  RunRow row;
  row.id = id;
  row.pipeline_id = pipeline_id;
  row.status = status;
  row.trigger = "t1";
  row.started_at = at(0);
  return row;
}

using AccessContract = ContractTest;
INSTANTIATE_TEST_SUITE_P(Databases, AccessContract, testing::Values("sqlite"));

TEST_P(AccessContract, EachEditOfAPipelineLeavesItsVersion) {
  PipelineRow row = pipeline("p1");
  ASSERT_EQ(write([&](soci::session& sql) { return Pipelines::insert(sql, row, "admin"); }), "");
  row.version = 2;
  row.document = object(R"({"nodes":[{"id":"t1"}],"edges":[]})");
  row.updated_at = at(60);
  ASSERT_EQ(write([&](soci::session& sql) { return Pipelines::update(sql, row, "token:ci"); }), "");
  EXPECT_EQ(write([&](soci::session& sql) { return Pipelines::update(sql, row, "late"); }),
            "version_conflict");

  const auto versions = read([](soci::session& sql) { return Pipelines::versions(sql, "p1"); });
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[0].version, 2);
  EXPECT_EQ(versions[0].actor, "token:ci");
  EXPECT_EQ(versions[0].at, at(60));
  EXPECT_EQ(to_text(versions[1].document), R"({"nodes":[],"edges":[]})");
  EXPECT_EQ(get_string(versions[1].head, "name"), row.name);
  const auto second =
      read([](soci::session& sql) { return Pipelines::find_version(sql, "p1", 2); });
  ASSERT_TRUE(second);
  EXPECT_EQ(second->actor, "token:ci");
  const auto rows = read([](soci::session& sql) { return Pipelines::all(sql); });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].version, 2);
}

TEST_P(AccessContract, EnablingAPipelineIsNoNewVersion) {
  ASSERT_EQ(
      write([](soci::session& sql) { return Pipelines::insert(sql, pipeline("p1"), "admin"); }),
      "");
  ASSERT_EQ(write([](soci::session& sql) { return Pipelines::set_enabled(sql, "p1", true); }), "");
  const auto rows = read([](soci::session& sql) { return Pipelines::all(sql); });
  EXPECT_TRUE(rows[0].enabled);
  EXPECT_EQ(rows[0].version, 1);
  EXPECT_EQ(write([](soci::session& sql) { return Pipelines::set_enabled(sql, "p2", true); }),
            "not_found");
}

TEST_P(AccessContract, RemovingAPipelineTakesItsVersionsAndRuns) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(Pipelines::insert(sql, pipeline("p1"), "admin"));
              TRIBUTARY_TRY(Runs::put(sql, run("r1", "p1", "completed")));
              return Pipelines::remove(sql, "p1");
            }),
            "");
  EXPECT_TRUE(read([](soci::session& sql) { return Pipelines::versions(sql, "p1"); }).empty());
  EXPECT_EQ(read([](soci::session& sql) { return Runs::find(sql, "r1"); }), std::nullopt);
  EXPECT_EQ(write([](soci::session& sql) { return Pipelines::remove(sql, "p1"); }), "not_found");
}

TEST_P(AccessContract, ARunIsReplacedByItsEnd) {
  RunRow row = run("r1", "p1", "running");
  ASSERT_EQ(write([&](soci::session& sql) { return Runs::put(sql, row); }), "");
  row.status = "completed_with_errors";
  row.ended_at = at(9);
  row.records_in = 10;
  row.records_out = 8;
  row.errors = 2;
  row.detail = object(R"({"first":"timeout"})");
  ASSERT_EQ(write([&](soci::session& sql) { return Runs::put(sql, row); }), "");
  const auto found = read([](soci::session& sql) { return Runs::find(sql, "r1"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, "completed_with_errors");
  EXPECT_EQ(found->trigger, "t1");
  EXPECT_EQ(found->ended_at, std::optional(at(9)));
  EXPECT_EQ(found->records_in, 10);
  EXPECT_EQ(found->records_out, 8);
  EXPECT_EQ(found->errors, 2);
  EXPECT_EQ(to_text(found->detail), R"({"first":"timeout"})");
}

TEST_P(AccessContract, RunsArePagedNewestFirstAndTrimmedPerPipeline) {
  ASSERT_EQ(
      write([](soci::session& sql) -> Result<void> {
        for (char digit = '1'; digit <= '6'; ++digit) {
          const std::string id = std::string("01R") + digit;
          TRIBUTARY_TRY(Runs::put(sql, run(id, "p1", digit == '1' ? "running" : "completed")));
        }
        return Runs::put(sql, run("01Q", "p2", "completed"));
      }),
      "");
  const auto page = read([](soci::session& sql) { return Runs::list(sql, "p1", "", 2); });
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].id, "01R6");
  const auto next = read([](soci::session& sql) { return Runs::list(sql, "p1", "01R5", 2); });
  ASSERT_EQ(next.size(), 2u);
  EXPECT_EQ(next[0].id, "01R4");

  ASSERT_EQ(write([](soci::session& sql) { return Runs::trim(sql, "p1", 2, at(0)); }), "");
  const auto left = read([](soci::session& sql) { return Runs::list(sql, "p1", "", 100); });
  ASSERT_EQ(left.size(), 3u) << "two newest, and the one that still runs";
  EXPECT_EQ(left[2].id, "01R1");
  EXPECT_EQ(read([](soci::session& sql) { return Runs::list(sql, "p2", "", 100); }).size(), 1u);
}

TEST_P(AccessContract, RunsAreTrimmedByAgeToo) {
  RunRow old = run("01A", "p1", "completed");
  RunRow fresh = run("01B", "p1", "completed");
  fresh.started_at = at(100);
  ASSERT_EQ(write([&](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(Runs::put(sql, old));
              TRIBUTARY_TRY(Runs::put(sql, fresh));
              return Runs::trim(sql, "p1", 100, at(50));
            }),
            "");
  const auto left = read([](soci::session& sql) { return Runs::list(sql, "p1", "", 100); });
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].id, "01B");
}

TEST_P(AccessContract, RunsAreFilteredByStatusTriggerAndTime) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              RunRow row = run("01A", "p1", "failed");
              row.trigger = "t1, t2";
              TRIBUTARY_TRY(Runs::put(sql, row));
              row = run("01B", "p1", "completed");
              row.trigger = "t22";
              row.started_at = at(100);
              return Runs::put(sql, row);
            }),
            "");
  const auto ids = [&](const RunFilter& filter) {
    std::string found;
    for (const auto& row :
         read([&](soci::session& sql) { return Runs::list(sql, "p1", "", 100, filter); }))
      found += row.id + " ";
    return found;
  };
  EXPECT_EQ(ids({}), "01B 01A ");
  EXPECT_EQ(ids({"failed", "", {}, {}}), "01A ");
  EXPECT_EQ(ids({"", "t2", {}, {}}), "01A ");
  EXPECT_EQ(ids({"", "t22", {}, {}}), "01B ");
  EXPECT_EQ(ids({"", "", at(100), {}}), "01B ");
  EXPECT_EQ(ids({"", "", {}, at(100)}), "01A ");
  EXPECT_EQ(ids({"failed", "t22", {}, {}}), "");
}

TEST_P(AccessContract, TheInputOfARunIsKeptBesideItsRow) {
  RunRow row = run("r1", "p1", "running");
  row.input = object(R"({"trigger":"t1","records":[{"a":1}]})");
  ASSERT_EQ(write([&](soci::session& sql) { return Runs::put(sql, row); }), "");
  row.input = Json::null();
  row.status = "failed";
  ASSERT_EQ(write([&](soci::session& sql) { return Runs::put(sql, row); }), "");
  ASSERT_EQ(write([](soci::session& sql) { return Runs::put(sql, run("r2", "p1", "completed")); }),
            "");
  EXPECT_EQ(to_text(read([](soci::session& sql) { return Runs::input(sql, "r1"); })),
            R"({"trigger":"t1","records":[{"a":1}]})");
  EXPECT_TRUE(read([](soci::session& sql) { return Runs::input(sql, "r2"); }).is_null());
  const auto rows = read([](soci::session& sql) { return Runs::list(sql, "p1", "", 100); });
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_FALSE(rows[0].input_kept);
  EXPECT_TRUE(rows[1].input_kept);
}

TEST_P(AccessContract, RunsThatWereCutOffByTheEndOfTheHubAreCancelled) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(Runs::put(sql, run("r1", "p1", "running")));
              return Runs::end_running(sql, at(9));
            }),
            "");
  const auto found = read([](soci::session& sql) { return Runs::find(sql, "r1"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, "cancelled");
  EXPECT_EQ(found->ended_at, std::optional(at(9)));
}

TEST_P(AccessContract, ADraftIsKeptBesideItsPipelineAndItsNumberIsNotUsedAgain) {
  PipelineDraftRow draft{"p1", 3, 1, object(R"({"name":"x"})"), "ada", at(5)};
  ASSERT_EQ(write([&](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(Pipelines::insert(sql, pipeline("p1"), "admin"));
              return PipelineDrafts::put(sql, draft);
            }),
            "");
  auto drafts = read([](soci::session& sql) { return PipelineDrafts::all(sql); });
  ASSERT_EQ(drafts.size(), 1u);
  EXPECT_EQ(to_text(drafts[0].document), R"({"name":"x"})");
  EXPECT_EQ(drafts[0].base_version, 1);
  ASSERT_EQ(write([](soci::session& sql) { return PipelineDrafts::clear(sql, "p1"); }), "");
  drafts = read([](soci::session& sql) { return PipelineDrafts::all(sql); });
  ASSERT_EQ(drafts.size(), 1u);
  EXPECT_TRUE(drafts[0].document.is_null());
  EXPECT_EQ(drafts[0].version, 3);
  ASSERT_EQ(write([](soci::session& sql) { return Pipelines::remove(sql, "p1"); }), "");
  EXPECT_TRUE(read([](soci::session& sql) { return PipelineDrafts::all(sql); }).empty());
}

TEST_P(AccessContract, TheLastFailureOfANodeIsKept) {
  PipelineFailureRow row{"p1", "n1", "Function", "refused", "No.", at(1), object(R"({"a":1})")};
  ASSERT_EQ(write([&](soci::session& sql) { return PipelineFailures::put(sql, row); }), "");
  row.code = "again";
  ASSERT_EQ(write([&](soci::session& sql) { return PipelineFailures::put(sql, row); }), "");
  const auto rows = read([](soci::session& sql) { return PipelineFailures::all(sql); });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].code, "again");
  EXPECT_EQ(to_text(rows[0].input), R"({"a":1})");
}

TEST_P(AccessContract, UsersAreFoundByNameAndNamesAreUnique) {
  const UserRow row{"u1", "ada", "hash", "admin", at(0)};
  ASSERT_EQ(write([&](soci::session& sql) { return Users::insert(sql, row); }), "");
  EXPECT_EQ(write([](soci::session& sql) {
              return Users::insert(sql, {"u2", "ada", "h", "admin", at(0)});
            }),
            "name_taken");
  ASSERT_EQ(write([](soci::session& sql) { return Users::set_password_hash(sql, "u1", "better"); }),
            "");
  const auto found = read([](soci::session& sql) { return Users::find_by_name(sql, "ada"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "u1");
  EXPECT_EQ(found->password_hash, "better");
  EXPECT_EQ(found->role, "admin");
  EXPECT_EQ(read([](soci::session& sql) { return Users::find_by_name(sql, "' or 1=1 --"); }),
            std::nullopt);
  EXPECT_EQ(write([](soci::session& sql) { return Users::set_password_hash(sql, "u9", "x"); }),
            "not_found");
}

TEST_P(AccessContract, TokensKeepExpiryAndLastUse) {
  TokenRow row{"t1", "ci", "abc", "admin", at(0), at(100), std::nullopt};
  ASSERT_EQ(write([&](soci::session& sql) { return Tokens::insert(sql, row); }), "");
  ASSERT_EQ(write([](soci::session& sql) { return Tokens::touch(sql, "t1", at(50)); }), "");
  const auto rows = read([](soci::session& sql) { return Tokens::all(sql); });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].hash, "abc");
  EXPECT_EQ(rows[0].expires_at, std::optional(at(100)));
  EXPECT_EQ(rows[0].last_used_at, std::optional(at(50)));
  ASSERT_EQ(write([](soci::session& sql) { return Tokens::remove(sql, "t1"); }), "");
  EXPECT_EQ(write([](soci::session& sql) { return Tokens::remove(sql, "t1"); }), "not_found");
  EXPECT_EQ(write([](soci::session& sql) { return Tokens::touch(sql, "t1", at(1)); }), "not_found");
}

TEST_P(AccessContract, ASessionIsSeenAgainAndRemoved) {
  ASSERT_EQ(write([](soci::session& sql) { return Sessions::put(sql, {"h", "u1", at(0), at(0)}); }),
            "");
  ASSERT_EQ(
      write([](soci::session& sql) { return Sessions::put(sql, {"h", "u1", at(0), at(60)}); }), "");
  const auto rows = read([](soci::session& sql) { return Sessions::all(sql); });
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].created_at, at(0));
  EXPECT_EQ(rows[0].last_seen_at, at(60));
  ASSERT_EQ(write([](soci::session& sql) { return Sessions::remove(sql, "h"); }), "");
  EXPECT_EQ(write([](soci::session& sql) { return Sessions::remove(sql, "h"); }), "not_found");
}

TEST_P(AccessContract, AuditRowsAreNumberedWithoutGapsAndListedNewestFirst) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              for (int i = 1; i <= 5; ++i) {
                AuditRow row;
                row.at = at(i);
                row.actor = "admin";
                row.action = "connection.suspend";
                row.target = fmt::format("c{}", i);
                row.detail = object(R"({"reason":"maintenance"})");
                TRIBUTARY_TRY(Audit::append(sql, row));
              }
              return {};
            }),
            "");
  const auto page = read([](soci::session& sql) { return Audit::list(sql, 0, 2); });
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].seq, 5);
  EXPECT_EQ(page[0].target, "c5");
  EXPECT_EQ(to_text(page[0].detail), R"({"reason":"maintenance"})");
  const auto rest = read([](soci::session& sql) { return Audit::list(sql, 4, 100); });
  ASSERT_EQ(rest.size(), 3u);
  EXPECT_EQ(rest.back().seq, 1);
}

TEST_P(AccessContract, KeptAnswersAreFoundReplacedAndExpire) {
  ASSERT_EQ(write([](soci::session& sql) -> Result<void> {
              TRIBUTARY_TRY(Idempotency::put(sql, {"admin:old", "f", 201, "{}", at(0)}));
              TRIBUTARY_TRY(Idempotency::put(sql, {"admin:new", "f", 201, "{}", at(10)}));
              TRIBUTARY_TRY(Idempotency::put(sql, {"admin:new", "g", 200, "[]", at(20)}));
              return Idempotency::expire(sql, at(10));
            }),
            "");
  EXPECT_FALSE(
      read([](soci::session& sql) { return Idempotency::find(sql, "admin:old"); }).has_value());
  const auto kept = read([](soci::session& sql) { return Idempotency::find(sql, "admin:new"); });
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->fingerprint, "g");
  EXPECT_EQ(kept->status, 200);
  EXPECT_EQ(kept->body, "[]");
}

}  // namespace
}  // namespace tributary::store
