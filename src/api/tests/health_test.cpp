// Status history and uptime over HTTP, and their export.
#include <gmock/gmock.h>

#include "api/csv.hpp"
#include "api/tests/hub_fixture.hpp"
#include "store/health_rows.hpp"

namespace tributary::api {
namespace {

using test::Reply;

TEST(Csv, GuaranteeI3NothingIsTakenForAFormula) {
  int cells = 0;
  for (const std::string_view start : {"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"}) {
    for (const std::string_view tail : {"", "1", "cmd|' /C calc'!A0", "SUM(A1:A2)", "a,\"b\""}) {
      const std::string text = std::string(start) + std::string(tail);
      std::string field = csv_text(text);
      // What a reader of RFC 4180 makes of it.
      if (field.starts_with('"')) {
        field = field.substr(1, field.size() - 2);
        for (auto at = field.find("\"\""); at != std::string::npos; at = field.find("\"\"", at + 1))
          field.erase(at, 1);
      }
      EXPECT_EQ(field, "'" + text);
      ++cells;
    }
  }
  EXPECT_EQ(cells, 50);
}

TEST(Csv, OtherTextStaysAndIsQuotedWhereNeeded) {
  EXPECT_EQ(csv_text("Line 3 = filler"), "Line 3 = filler");
  EXPECT_EQ(csv_text(""), "");
  EXPECT_EQ(csv_text("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_text("say \"no\""), "\"say \"\"no\"\"\"");
  EXPECT_EQ(csv_text("two\r\nlines"), "\"two\r\nlines\"");
  EXPECT_EQ(csv_line({"1", "x", ""}), "1,x,\r\n");
}

class HealthApiTest : public test::HubTest {
 protected:
  HealthApiTest() { start(); }
  std::string create(std::string_view name, std::string_view labels = "{}") {
    const Reply made =
        ask("POST", "/api/v1/connections",
            fmt::format(R"({{"name":"{}","type":"counter","settings":{{"host":"h"}},"labels":{}}})",
                        name, labels));
    EXPECT_EQ(made.status, 201) << made.body;
    const std::string id = get_string(made.json(), "id");
    // The first row is written behind the answer.
    const auto has_row = [&] {
      return !ask("GET", "/api/v1/connections/" + id + "/events").json().at("items").empty();
    };
    bool written = has_row();
    for (int tries = 0; !written && tries < 1000; ++tries) written = has_row();
    EXPECT_TRUE(written);
    return id;
  }
  // Rows behind those that the connection has.
  void add_rows(const std::string& id, std::size_t count) {
    auto written = store_->write_now([&](soci::session& sql) -> Result<void> {
      auto last = store::HistoryEnds::newest(sql, id);
      if (!last) return fail(std::move(last.error()));
      store::HistoryRow row = **last;
      for (std::size_t i = 0; i < count; ++i) {
        ++row.seq;
        row.note = "=1+1";
        TRIBUTARY_TRY(store::History::append(sql, row));
      }
      return {};
    });
    ASSERT_TRUE(written.has_value());
  }
};

// The body of an answer in chunks, and whether it came to its end.
std::pair<std::string, bool> dechunk(std::string_view text) {
  std::string body;
  while (true) {
    const auto line = text.find("\r\n");
    if (line == std::string_view::npos) return {body, false};
    const std::size_t size = std::stoul(std::string(text.substr(0, line)), nullptr, 16);
    if (size == 0) return {body, true};
    body += text.substr(line + 2, size);
    text.remove_prefix(line + 2 + size + 2);
  }
}

TEST_F(HealthApiTest, AnExportIsOneWholeFileHoweverLong) {
  const std::string id = create("Line 3");
  add_rows(id, 2500);
  test::Wire wire(server_->port());
  wire.send(
      fmt::format("GET /api/v1/connections/{}/events?format=csv HTTP/1.1\r\nHost: h\r\n{}"
                  "Connection: close\r\n\r\n",
                  id, bearer()));
  const std::string head = wire.read_until("\r\n\r\n");
  EXPECT_THAT(head, testing::HasSubstr("200 OK"));
  EXPECT_THAT(head, testing::HasSubstr("text/csv"));
  const auto [body, whole] = dechunk(wire.read_all());
  EXPECT_TRUE(whole);
  EXPECT_TRUE(body.starts_with("seq,at,from,to,epoch,causeClass,"));
  EXPECT_EQ(std::ranges::count(body, '\n'), 1 + 1 + 2500);
  EXPECT_THAT(body, testing::HasSubstr(",'=1+1,"));
  EXPECT_THAT(body, testing::HasSubstr("\r\n2501,"));
}

TEST_F(HealthApiTest, TheJsonExportIsExactAndPaged) {
  const std::string id = create("Line 3");
  add_rows(id, 3);
  const std::string path = "/api/v1/connections/" + id + "/events?format=json&limit=3";
  const Json first = ask("GET", path).json();
  ASSERT_EQ(first.at("items").size(), 3U);
  const Json& row = first.at("items")[1];
  EXPECT_EQ(get_string(row, "note"), "=1+1");
  EXPECT_TRUE(row.at("monotonicNs").is_int64() || row.at("monotonicNs").is_uint64());
  EXPECT_FALSE(get_string(row, "bootId").empty());
  const Json second = ask("GET", path + "&cursor=" + get_string(first, "next")).json();
  EXPECT_EQ(second.at("items").size(), 1U);
  EXPECT_TRUE(second.at("next").is_null());
}

TEST_F(HealthApiTest, AFormatThatDoesNotExistAndACutFileAreRefused) {
  const std::string path = "/api/v1/connections/" + create("Line 3") + "/events?format=";
  EXPECT_EQ(ask("GET", path + "xml").status, 400);
  EXPECT_EQ(ask("GET", path + "csv&limit=5").status, 400);
}

TEST_F(HealthApiTest, ADeletedConnectionCanStillBeReadAndAStrangerCannot) {
  const std::string id = create("Line 3");
  EXPECT_EQ(ask("DELETE", "/api/v1/connections/" + id).status, 204);
  EXPECT_EQ(ask("GET", "/api/v1/connections/" + id).status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/connections/" + id + "/events").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/connections/" + id + "/health").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/connections/nobody/events").status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/connections/nobody/health").status, 404);
}

TEST_F(HealthApiTest, BucketsCutThePeriodIntoEqualParts) {
  const std::string path = "/api/v1/connections/" + create("Line 3") + "/health?buckets=";
  const Json health = ask("GET", path + "24").json();
  ASSERT_EQ(health.at("buckets").size(), 24U);
  EXPECT_EQ(health.at("buckets")[0].at("from"), health.at("from"));
  EXPECT_EQ(health.at("buckets")[23].at("to"), health.at("to"));
  EXPECT_EQ(ask("GET", path + "2001").status, 400);
}

TEST_F(HealthApiTest, WithoutAnythingToCountThereIsNoPercentage) {
  const Json health = ask("GET", "/api/v1/connections/" + create("Line 3") + "/health").json();
  EXPECT_TRUE(health.at("uptimePercent").is_null());
  EXPECT_EQ(get_string(health, "uptimeReason"), "no data");
  EXPECT_FALSE(health.at("clockUncertain").as<bool>());
}

TEST_F(HealthApiTest, AClockThatWasSetIsSaidInEveryAnswerAboutThatTime) {
  const std::string id = create("Line 3");
  const UtcTime when = clock_.utc_now() - std::chrono::hours{2};
  ASSERT_TRUE(store_->write_now([&](soci::session& sql) {
    return store::ClockSteps::append(sql, {when, -3'600'000'000, "boot"});
  }));
  for (const auto& path : {"/connections/" + id + "/health", std::string("/health/connections")}) {
    const Json health = ask("GET", "/api/v1" + path).json();
    EXPECT_TRUE(health.at("clockUncertain").as<bool>()) << path;
    EXPECT_EQ(get_string(health.at("clockSteps")[0], "at"), format_utc(when));
    EXPECT_EQ(health.at("clockSteps")[0].at("seconds").as<double>(), -3600.0);
  }
}

TEST_F(HealthApiTest, TheWholeSystemIsFilteredSortedAndPaged) {
  create("a", R"({"line":"3"})");
  create("b", R"({"line":"3"})");
  create("c", R"({"line":"4"})");
  const auto names = [](const Json& health) {
    std::vector<std::string> found;
    for (const auto& item : health.at("items").array_range())
      found.push_back(get_string(item, "name"));
    return found;
  };
  const std::string path = "/api/v1/health/connections";
  EXPECT_EQ(ask("GET", path + "?label=line:4").json().at("connections").as<int>(), 1);
  EXPECT_EQ(ask("GET", path + "?type=modbus").json().at("connections").as<int>(), 0);
  const Json first = ask("GET", path + "?label=line:3&limit=1&sort=downtime").json();
  EXPECT_EQ(first.at("totals").at("Idle").as<int>(), 2);
  const Json second =
      ask("GET", path + "?label=line:3&limit=1&sort=downtime&cursor=" + get_string(first, "next"))
          .json();
  auto both = names(first);
  for (const auto& name : names(second)) both.push_back(name);
  EXPECT_THAT(both, testing::UnorderedElementsAre("a", "b"));
  EXPECT_TRUE(second.at("next").is_null());
  EXPECT_EQ(ask("GET", path + "?sort=colour").status, 400);
  EXPECT_EQ(ask("GET", path + "?cursor=6162").status, 400);
}

}  // namespace
}  // namespace tributary::api
