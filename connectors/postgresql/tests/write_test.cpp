// Writing tables of a real server.
#include "connectors/postgresql/tests/fixture.hpp"

namespace tributary::connectors::postgresql {
namespace {

using testing::HasSubstr;

class Write : public PostgresTest {
 protected:
  void create(const std::string& columns, const std::string& name = "t") const {
    server_.sql(
        fmt::format("create table {} ({}); grant all on {} to tributary", name, columns, name));
  }
  void expect_rows(const std::string& query, const std::string& expected) const {
    EXPECT_EQ(server_.sql(query), expected);
  }
  test::PostgresServer& server_ = clean_server();
  std::unique_ptr<sdk::Session> session_ = connect(server_.port());
};

class WriteMode : public Write, public testing::WithParamInterface<std::string> {
 protected:
  std::string settings(const std::string& more = "") const {
    return fmt::format(R"({{"table":"t","mode":"{}"{}{}}})", GetParam(), keys(), more);
  }
  static std::string keys() { return GetParam() == "upsert" ? R"(,"keyColumns":["id"])" : ""; }
};
INSTANTIATE_TEST_SUITE_P(Modes, WriteMode, testing::Values("insert", "upsert", "copy"),
                         [](const auto& each) { return each.param; });

TEST_P(WriteMode, edge_38_values_of_every_kind_arrive_exactly) {
  create(
      "id int8 primary key, i8 int8, f8 float8, n numeric, b bool, t text, v varchar(5), j jsonb, "
      "by bytea, ts timestamptz, d date, ia int[], ta text[], u uuid, f4 float4");
  const auto written = write(*session_, settings(), R"([
    {"id": 1, "i8": 9007199254740993, "f8": 0.1, "n": "18446744073709551616.000001", "b": true,
     "t": "tab\tnewline\nquote'\"back\\slash \\N", "v": "é𝄞", "j": {"a": [1, "x\\y", null]}, "by": "AP8Q",
     "ts": "2026-11-22T10:00:00.123456Z", "d": "2026-11-22", "ia": [1, null, -3],
     "ta": ["a b", "c\"d", "e\\f", ""], "u": "6f6e2d10-1111-4222-8333-444455556666", "f4": 1.5},
    {"id": 2, "i8": -9223372036854775808, "f8": "NaN", "n": 0.1, "b": false, "t": "", "v": null,
     "j": "text", "by": "", "ts": null, "d": null, "ia": [], "ta": null, "u": null, "f4": null},
    {"id": 3, "i8": 9223372036854775807, "f8": "-Infinity", "n": "NaN", "b": 1, "t": {"a": 1}, "v": 7,
     "j": 5, "by": "\\x00", "ts": null, "d": null, "ia": [[1, 2], [3, 4]], "ta": [], "u": null, "f4": 0}
  ])");
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->records()[0]["rows"].as<int>(), 3);
  const auto back = query(*session_, "select * from t order by id");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(
      to_text(back->records()[0]),
      R"({"id":1,"i8":9007199254740993,"f8":0.1,"n":"18446744073709551616.000001","b":true,)"
      R"("t":"tab\tnewline\nquote'\"back\\slash \\N","v":"é𝄞","j":{"a":[1,"x\\y",null]},"by":"AP8Q",)"
      R"("ts":"2026-11-22T10:00:00.123456Z","d":"2026-11-22","ia":[1,null,-3],)"
      R"("ta":["a b","c\"d","e\\f",""],"u":"6f6e2d10-1111-4222-8333-444455556666","f4":1.5})");
  Json second = back->records()[1];
  second.erase("$meta");
  EXPECT_EQ(to_text(second),
            R"({"id":2,"i8":-9223372036854775808,"f8":null,"n":0.1,"b":false,"t":"","v":null,)"
            R"("j":"text","by":"","ts":null,"d":null,"ia":[],"ta":null,"u":null,"f4":null})");
  Json third = back->records()[2];
  third.erase("$meta");
  EXPECT_EQ(
      to_text(third),
      R"({"id":3,"i8":9223372036854775807,"f8":null,"n":null,"b":true,"t":"{\"a\":1}","v":"7",)"
      R"("j":5,"by":"AA==","ts":null,"d":null,"ia":[[1,2],[3,4]],"ta":[],"u":null,"f4":0.0})");
}

TEST_P(WriteMode, one_bad_record_means_that_none_was_written) {
  create("id int primary key, speed int not null check (speed >= 0)");
  struct Case {
    std::string record;
    std::string code;
  };
  for (const Case& each :
       std::vector<Case>{{R"({"id":2,"speed":"x"})", "invalid_value"},
                         {R"({"id":2,"speed":2.5})", "value_does_not_fit"},
                         {R"({"id":2,"speed":true})", "value_does_not_fit"},
                         {R"({"id":2,"speed":null})", "not_null_violation"},
                         {R"({"id":2})", "not_null_violation"},
                         {R"({"id":2,"speed":99999999999})", "number_out_of_range"},
                         {R"({"id":2,"speed":-1})", "check_violation"},
                         {R"({"id":2,"speed":1,"more":1})", "unknown_column"},
                         {R"({"$meta":{}})", "nothing_to_write"},
                         {R"(5)", "not_an_object"}}) {
    const auto refused =
        write(*session_, settings(),
              fmt::format(R"([{{"id":1,"speed":1}},{},{{"id":3,"speed":3}}])", each.record));
    ASSERT_FALSE(refused) << each.record;
    EXPECT_EQ(refused.error().code, each.code) << each.record << refused.error().message;
    EXPECT_EQ(refused.error().error_class, ErrorClass::kFunction) << each.record;
    EXPECT_FALSE(refused.error().outcome_unknown);
    expect_rows("select count(*) from t", "0");
  }
  EXPECT_TRUE(write(*session_, settings(), R"([{"id":1,"speed":1}])")) << "the session goes on";
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_P(WriteMode, a_refused_value_says_in_which_column_it_stood) {
  create("id int primary key, speed int, at timestamptz");
  for (const std::string bad :
       {R"({"id":2,"speed":"fast","at":null})", R"({"id":2,"speed":1.5,"at":null})"}) {
    const auto refused =
        write(*session_, settings(), fmt::format(R"([{{"id":1,"speed":1,"at":null}},{}])", bad));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("Column speed")) << refused.error().message;
  }
}

TEST_P(WriteMode, a_field_that_is_missing_gets_the_default_and_null_is_null) {
  create("id int primary key, state text default 'new', n int");
  ASSERT_TRUE(write(*session_, settings(),
                    R"([{"id":1},{"id":2,"state":null},{"id":3,"n":5},{"n":6,"id":4}])"));
  expect_rows("select id, coalesce(state, 'NULL'), n from t order by id",
              "1|new|\n2|NULL|\n3|new|5\n4|new|6");
}

TEST_P(WriteMode, columns_are_mapped_from_fields_at_any_depth) {
  create("id int primary key, line text, temp float8, raw jsonb, first int");
  const auto written = write(
      *session_, settings(R"(,"columns":{"id":"n","line":"$meta.connection",
      "temp":"values.a\\.b","raw":"$record","first":"list.0"})"),
      R"([{"n":1,"values":{"a.b":21.5},"list":[7],"other":true,"$meta":{"connection":"L3"}}])");
  ASSERT_TRUE(written) << written.error().message;
  expect_rows(
      "select id, line, temp, first, raw->'values'->>'a.b', raw->'$meta'->>'connection' from t",
      "1|L3|21.5|7|21.5|L3");
  const auto listed =
      write(*session_, settings(R"(,"columns":["id","temp"])"), R"([{"id":2,"temp":1,"x":1}])");
  ASSERT_TRUE(listed) << listed.error().message;
  const auto unknown =
      write(*session_, settings(R"(,"columns":["id","nothing"])"), R"([{"id":3,"nothing":1}])");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, "unknown_column");
  EXPECT_EQ(unknown.error().pointer, "/settings/columns");
}

TEST_P(WriteMode, a_table_that_changes_is_seen_as_it_is) {
  create("id int primary key");
  ASSERT_TRUE(write(*session_, settings(), R"([{"id":1}])"));
  server_.sql("alter table t add column speed int");
  const auto added = write(*session_, settings(), R"([{"id":2,"speed":5}])");
  EXPECT_TRUE(added) << added.error().message;
  server_.sql("alter table t drop column speed; alter table t alter id type text");
  const auto dropped = write(*session_, settings(), R"([{"id":3,"speed":5}])");
  EXPECT_FALSE(dropped);
  const auto text = write(*session_, settings(), R"([{"id":"x"}])");
  EXPECT_TRUE(text) << text.error().message;
}

TEST_P(WriteMode, inj1_hostile_names_and_values_are_only_names_and_values) {
  server_.sql(R"(create schema "s""x"; grant usage on schema "s""x" to tributary;
                 create table "s""x"."t; drop table u" ("id" int primary key, "a""b'; --" text);
                 grant all on "s""x"."t; drop table u" to tributary; create table u(a int))");
  Json names = json(fmt::format(R"({{"mode":"{}"{}}})", GetParam(), keys()));
  names.insert_or_assign("table", R"("s""x"."t; drop table u")");
  Json records = json(R"({"records":[{"id":1}]})");
  const std::string value = "'); drop table u; --\t\\.\n\\N";
  records["records"][0].insert_or_assign("a\"b'; --", value);
  const auto operation = prepare("postgresql.write", names);
  const auto written = call(*session_, *operation, records);
  ASSERT_TRUE(written) << written.error().message;
  const auto back = query(*session_, R"(select "a""b'; --" as v from "s""x"."t; drop table u")");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->records()[0]["v"].as_string(), value);
  expect_rows("select count(*) from u", "0");
}

TEST_P(WriteMode, a_lost_answer_is_an_unknown_outcome) {
  create("id int primary key");
  test::FaultProxy proxy(server_.port());
  const auto other = connect(proxy.port());
  ASSERT_TRUE(write(*other, settings(), R"([{"id":1}])"));
  proxy.set_fault(
      {.kind = test::Fault::Kind::kStallAfter, .count = 0, .side = test::Side::kServer});
  const auto operation = prepare("postgresql.write", json(settings()));
  const auto lost = call(*other, *operation, json(R"({"records":[{"id":2}]})"), 500ms);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().error_class, ErrorClass::kTransient) << lost.error().message;
  EXPECT_TRUE(lost.error().outcome_unknown) << "edge 39";
}

TEST_P(WriteMode, a_database_that_becomes_read_only_ends_the_session_as_a_standby) {
  create("id int primary key");
  ASSERT_TRUE(write(*session_, settings(), R"([{"id":1}])"));
  server_.sql("alter system set default_transaction_read_only = on");
  server_.sql("select pg_reload_conf()");
  Result<Batch> refused;
  for (int n = 2; n < 500 && refused; ++n)
    refused = write(*session_, settings(), fmt::format(R"([{{"id":{}}}])", n));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::kStandby) << refused.error().message;
  EXPECT_EQ(refused.error().code, "read_only");
  EXPECT_EQ(refusal(profile(server_.port())).error_class, ErrorClass::kStandby);
  const auto reader = connect(server_.port(), R"({"readOnly":true})");
  EXPECT_EQ(to_text(value(*reader, "select 1")), "1");
  server_.sql("alter system reset default_transaction_read_only");
  server_.sql("select pg_reload_conf()");
}

TEST_F(Write, upsert_updates_and_of_one_key_in_a_batch_the_last_wins) {
  create("line text, n int, speed int, note text default 'first', primary key (line, n)");
  const std::string settings = R"({"table":"t","mode":"upsert","keyColumns":["line","n"]})";
  ASSERT_TRUE(
      write(*session_, settings, R"([{"line":"a","n":1,"speed":1},{"line":"a","n":2,"speed":2}])"));
  ASSERT_TRUE(write(
      *session_, settings,
      R"([{"line":"a","n":1,"speed":5},{"line":"b","n":1,"speed":3},{"line":"a","n":1,"speed":7}])"));
  expect_rows("select line, n, speed, note from t order by 1, 2",
              "a|1|7|first\na|2|2|first\nb|1|3|first");
  const auto keyless = write(*session_, settings, R"([{"line":"a","speed":7}])");
  ASSERT_FALSE(keyless);
  EXPECT_EQ(keyless.error().code, "missing_key");
  const auto index = write(*session_, R"({"table":"t","mode":"upsert","keyColumns":["line"]})",
                           R"([{"line":"a","speed":1,"n":3}])");
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().code, "no_unique_index");
}

TEST_F(Write, a_missing_table_and_a_missing_right_are_named) {
  const auto missing = write(*session_, R"({"table":"Nothing"})", R"([{"a":1}])");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "unknown_table");
  EXPECT_EQ(missing.error().pointer, "/settings/table");
  EXPECT_FALSE(missing.error().hint.empty());
  server_.sql("create table mine(a int)");
  const auto denied = write(*session_, R"({"table":"mine"})", R"([{"a":1}])");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, "not_allowed");
}

TEST_F(Write, a_single_call_writes_its_parameters_as_one_record) {
  create("a int, b text");
  const auto operation = prepare("postgresql.write", json(R"({"table":"t"})"));
  ASSERT_TRUE(call(*session_, *operation, json(R"({"a":1,"b":"x"})")));
  ASSERT_TRUE(call(*session_, *operation, json(R"({"payload":{"a":2,"$meta":{"x":1}}})")));
  EXPECT_TRUE(call(*session_, *operation, json(R"({"records":[]})")));
  expect_rows("select a, b from t order by a", "1|x\n2|");
}

TEST_F(Write, domains_and_enumerations_are_written_like_any_type) {
  server_.sql(
      "create type mood as enum ('ok', 'bad'); create domain percent as float8 check (value <= "
      "100); create "
      "domain code as varchar(3)");
  create("m mood, p percent, c code, ms mood[]");
  const auto written =
      write(*session_, R"({"table":"t"})",
            R"([{"m":"ok","p":99.5,"c":"abc","ms":["ok","bad"]},{"m":null,"p":1,"c":"","ms":[]}])");
  ASSERT_TRUE(written) << written.error().message;
  expect_rows("select m, p, c, ms from t order by p", "|1||{}\nok|99.5|abc|{ok,bad}");
  EXPECT_EQ(write(*session_, R"({"table":"t"})", R"([{"p":100.5}])").error().code,
            "check_violation");
}

TEST_F(Write, text_that_is_too_long_is_refused_and_never_cut) {
  create("v varchar(3), c char(3), b bit(3)");
  for (const std::string mode : {"insert", "copy"}) {
    const std::string settings = fmt::format(R"({{"table":"t","mode":"{}"}})", mode);
    for (const std::string record :
         {R"([{"v":"abcd"}])", R"([{"c":"abcd"}])", R"([{"b":"1011"}])"}) {
      const auto refused = write(*session_, settings, record);
      ASSERT_FALSE(refused) << mode << record;
      EXPECT_EQ(refused.error().error_class, ErrorClass::kFunction) << refused.error().message;
    }
    expect_rows("select count(*) from t", "0");
    ASSERT_TRUE(write(*session_, settings, R"([{"v":"abc","c":"abc","b":"101"}])"));
    expect_rows("select * from t", "abc|abc|101");
    server_.sql("truncate t");
  }
}

TEST_F(Write, fields_without_a_column_can_be_left_out) {
  create("a int");
  EXPECT_TRUE(write(*session_, R"({"table":"t","extraFields":"ignore"})", R"([{"a":1,"x":2}])"));
  expect_rows("select * from t", "1");
}

TEST_F(Write, a_lock_that_lasts_is_busy_so_that_it_is_tried_again) {
  create("a int");
  const auto quick = connect(server_.port(), R"({"requestTimeoutMs":500})");
  const auto locker = connect(server_.port());
  Json hold = json(
      R"({"statement":"do $x$ begin lock table t in access exclusive mode; perform pg_sleep(3); end $x$"})");
  const auto operation = prepare("postgresql.execute", hold);
  const Json none = json_object();
  server_.sql("alter table t owner to tributary");
  auto running = context_.start(locker->call(*operation, none, context_.in(8s)));
  context_.run_until([&] {
    return server_.sql(
               "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and "
               "relation = 't'::regclass") != "0";
  });
  const auto writing = prepare("postgresql.write", json(R"({"table":"t"})"));
  const auto refused = call(*quick, *writing, json(R"({"a":1})"), 5s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::kBusy) << refused.error().message;
  EXPECT_FALSE(refused.error().outcome_unknown);
  context_.finish(running, 10s);
  expect_rows("select count(*) from t", "0");
}

TEST_F(Write, settings_that_cannot_work_are_refused_when_they_are_saved) {
  struct Case {
    std::string settings;
    std::string code;
    std::string connection = "{}";
  };
  const std::vector<Case> cases{
      {R"({"table":"a.b.c"})", "invalid_table_name"},
      {R"x({"table":"t((x))"})x", "invalid_table_name"},
      {"{\"table\":\"\\\"a\"}", "invalid_table_name"},
      {R"({"table":"a."})", "invalid_table_name"},
      {R"({"table":"t","mode":"upsert"})", "missing_key_columns"},
      {R"({"table":"t","columns":5})", "invalid_columns"},
      {R"({"table":"t","columns":["a","a"]})", "invalid_columns"},
      {R"({"table":"t","columns":{"a":1}})", "invalid_columns"},
      {R"({"table":"t"})", "read_only_connection", R"({"readOnly":true})"},
      {"{\"table\":\"\\\"My Schema\\\".\\\"t.x\\\"\"}", "accepted"},
  };
  for (const Case& each : cases) {
    const auto prepared = try_prepare("postgresql.write", json(each.settings), each.connection);
    EXPECT_EQ(prepared ? "accepted" : prepared.error().code, each.code) << each.settings;
  }
}

}  // namespace
}  // namespace tributary::connectors::postgresql
