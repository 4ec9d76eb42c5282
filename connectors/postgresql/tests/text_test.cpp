// The pure parts: statements, values, errors.
#include <gtest/gtest.h>

#include "connectors/postgresql/src/decode.hpp"
#include "connectors/postgresql/src/encode.hpp"
#include "connectors/postgresql/src/errors.hpp"
#include "connectors/postgresql/src/statement.hpp"

namespace tributary::connectors::postgresql {
namespace {

std::string bound(const std::string& sql) {
  const auto statement = bind_placeholders(sql, "/settings/query");
  if (!statement) return statement.error().code;
  std::string text = statement->text;
  for (const std::string& name : statement->parameters) text += " <" + name + ">";
  return text;
}

TEST(Statement, placeholders_become_numbers_where_they_are_values) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"select ((a))", "select ($1) <a>"},
      {"select ((a)),((b)),((a))", "select ($1),($2),($3) <a> <b> <a>"},
      {"limit((n))", "limit($1) <n>"},
      {"any(((ids)))", "any(($1)) <ids>"},
      {"select ((1))", "select ((1))"},
      {"select (( a ))", "select (( a ))"},
      {"select 'it''s' || ((a))", "select 'it''s' || ($1) <a>"},
      {"select E'\\'' || ((a))", "select E'\\'' || ($1) <a>"},
      {"select '\\' || ((a))", "select '\\' || ($1) <a>"},
      {"select \"a\"\"b\" = ((a))", "select \"a\"\"b\" = ($1) <a>"},
      {"-- ((a))\nselect 1", "-- ((a))\nselect 1"},
      {"/* ((a)) /* '*/ */ select ((b))", "/* ((a)) /* '*/ */ select ($1) <b>"},
      {"select $$x$$, $t$ $$ ' $t$, ((a))", "select $$x$$, $t$ $$ ' $t$, ($1) <a>"},
      {"select a$1 from t", "select a$1 from t"},
      {"select '((a))'", "placeholder_in_quotes"},
      {"select \"((a))\"", "placeholder_in_quotes"},
      {"select $$ ((a)) $$", "placeholder_in_quotes"},
      {"select $1", "unexpected_parameter"},
      {"select 'x", "unterminated_quote"},
      {"select /* x", "unterminated_quote"},
      {"select $a$ x", "unterminated_quote"},
      {" ; -- nothing", "empty_statement"},
  };
  for (const auto& [sql, expected] : cases) EXPECT_EQ(bound(sql), expected) << sql;
}

TEST(Statement, names_are_quoted_whatever_they_hold) {
  EXPECT_EQ(quote_identifier("a\"; drop"), "\"a\"\"; drop\"");
  EXPECT_EQ(quote_table("t").value(), "\"t\"");
  EXPECT_EQ(quote_table("s.T x").value(), "\"s\".\"T x\"");
  EXPECT_EQ(quote_table("\"a.b\".\"c\"\"d\"").value(), "\"a.b\".\"c\"\"d\"");
  for (const std::string bad : {"", ".", "a.", ".a", "a.b.c", "\"a", "\"a\"b", "((t))", "a.((t))"})
    EXPECT_FALSE(quote_table(bad)) << bad;
}

TEST(Values, numbers_are_exact_or_text) {
  const auto numeric = [](std::string_view text) {
    return to_text(decode_value(text, {Kind::kNumeric, false}));
  };
  EXPECT_EQ(numeric("0.00"), "0");
  EXPECT_EQ(numeric("-1.50"), "-1.5");
  EXPECT_EQ(numeric("123456789012345678"), "123456789012345678");
  EXPECT_EQ(numeric("0.30000000000000004"), "0.30000000000000004");
  EXPECT_EQ(numeric("0.300000000000000041"), "\"0.300000000000000041\"");
  EXPECT_EQ(numeric("0.00000000000000000001"), "\"0.00000000000000000001\"");
  EXPECT_EQ(numeric("1e999"), "\"1e999\"");
}

TEST(Values, base64_is_the_same_both_ways_for_every_length) {
  std::string bytes;
  for (int length = 0; length < 70; ++length) {
    std::string hex;
    ASSERT_TRUE(encode_value(Json(to_base64(bytes)), {Kind::kBytes, false}, hex).value());
    EXPECT_EQ(decode_value(hex, {Kind::kBytes, false}).as_string(), to_base64(bytes));
    bytes += static_cast<char>(length * 37);
  }
  std::string out;
  for (const std::string bad : {"a", "ab=c", "====", "ab!d", "YQ=a"})
    EXPECT_FALSE(encode_value(Json(bad), {Kind::kBytes, false}, out)) << bad;
}

TEST(Values, arrays_that_make_no_sense_stay_text) {
  for (const std::string bad :
       {"{1,2", "{1,,2}", "{", "}", "x", "{1}x", "{{{{{{{1}}}}}}}", "[0:1={1}", "{\"a}"}) {
    EXPECT_TRUE(decode_value(bad, {Kind::kInteger, true}).is_string()) << bad;
  }
  EXPECT_EQ(to_text(decode_value("[0:1]={1,2}", {Kind::kInteger, true})), "[1,2]");
}

TEST(Errors, codes_have_the_class_that_decides_what_happens_next) {
  struct Case {
    std::string state;
    Purpose purpose;
    ErrorClass error_class;
    std::string code;
  };
  const std::vector<Case> cases{
      {"23505", Purpose::kWrite, ErrorClass::kFunction, "unique_violation"},
      {"25006", Purpose::kWrite, ErrorClass::kStandby, "read_only"},
      {"25006", Purpose::kCommand, ErrorClass::kStandby, "read_only"},
      {"25006", Purpose::kQuery, ErrorClass::kFunction, "read_only"},
      {"57014", Purpose::kWrite, ErrorClass::kBusy, "statement_timeout"},
      {"57014", Purpose::kQuery, ErrorClass::kFunction, "statement_timeout"},
      {"40P01", Purpose::kWrite, ErrorClass::kBusy, "deadlock_detected"},
      {"40P01", Purpose::kCommand, ErrorClass::kFunction, "deadlock_detected"},
      {"53100", Purpose::kWrite, ErrorClass::kBusy, "disk_full"},
      {"53400", Purpose::kWrite, ErrorClass::kBusy, "server_at_its_limits"},
      {"57P05", Purpose::kWrite, ErrorClass::kTransient, "session_ended"},
      {"08006", Purpose::kWrite, ErrorClass::kTransient, "connection_failure"},
      {"42P07", Purpose::kCommand, ErrorClass::kFunction, "sqlstate_42p07"},
  };
  for (const Case& each : cases) {
    ServerError error;
    error.severity = "ERROR";
    error.sqlstate = each.state;
    error.message = "why";
    const Error out = to_error(error, each.purpose, "db");
    EXPECT_EQ(out.error_class, each.error_class) << each.state;
    EXPECT_EQ(out.code, each.code);
    EXPECT_NE(out.message.find(each.state), std::string::npos);
  }
}

}  // namespace
}  // namespace tributary::connectors::postgresql
