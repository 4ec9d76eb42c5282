#include "api/problem.hpp"

namespace tributary::api {
namespace {

Problem of(ErrorClass error_class, std::string code, std::string pointer = {}) {
  return Problem(Error(error_class, std::move(code), "What was tried and what came back.",
                       "What to do.", std::move(pointer)));
}

TEST(Problem, KnownCodesHaveTheirStatus) {
  EXPECT_EQ(of(ErrorClass::kFunction, "not_found").status, 404);
  EXPECT_EQ(of(ErrorClass::kFunction, "name_taken").status, 409);
  EXPECT_EQ(of(ErrorClass::kFunction, "version_conflict").status, 412);
  EXPECT_EQ(of(ErrorClass::kFunction, "connection_running").status, 409);
  EXPECT_EQ(of(ErrorClass::kIdentity, "invalid_credentials").status, 401);
  EXPECT_EQ(of(ErrorClass::kBusy, "too_many_attempts").status, 429);
  EXPECT_EQ(of(ErrorClass::kBusy, "function_breaker_open").status, 503);
  EXPECT_EQ(of(ErrorClass::kInternal, "disk_full").status, 507);
}

TEST(Problem, OtherCodesFollowTheirClass) {
  EXPECT_EQ(of(ErrorClass::kTransient, "connection_refused").status, 502);
  EXPECT_EQ(of(ErrorClass::kBusy, "lane_full").status, 503);
  EXPECT_EQ(of(ErrorClass::kConfiguration, "anything", "/settings/host").status, 422);
  EXPECT_EQ(of(ErrorClass::kFunction, "anything").status, 409);
}

TEST(Problem, AnErrorWithAPointerBecomesAFieldError) {
  const Problem problem = of(ErrorClass::kFunction, "weak_password", "/password");
  ASSERT_EQ(problem.errors.size(), 1U);
  EXPECT_EQ(problem.errors[0].pointer, "/password");
  EXPECT_EQ(problem.status, 422);
}

TEST(Problem, FailuresInsideTellNothingToTheCaller) {
  const Problem problem(
      Error(ErrorClass::kInternal, "store_failed", "near SELECT in /var/lib/tributary.db"));
  const std::string text = to_text(problem.to_json("01J"));
  EXPECT_EQ(problem.status, 500);
  EXPECT_EQ(text.find("SELECT"), std::string::npos);
  EXPECT_EQ(text.find("/var/lib"), std::string::npos);
  EXPECT_NE(problem.log.find("SELECT"), std::string::npos);
}

TEST(Problem, AFullDiskNamesNoFile) {
  const Problem problem(Error(ErrorClass::kInternal, "disk_full",
                              "/var/lib/tributary.db cannot grow.", "Free space."));
  EXPECT_EQ(problem.status, 507);
  EXPECT_EQ(problem.detail, "The disk is full.");
  EXPECT_EQ(problem.hint, "Free space.");
}

TEST(Problem, InvalidSettingsListEveryField) {
  const connect::Invalid invalid{{{"/settings/port", "out_of_range", "70000 is above 65535"},
                                  {"/settings/hots", "unknown_property", "There is no \"hots\"."}}};
  const Json json = Problem(invalid).to_json("01J");
  EXPECT_EQ(
      to_text(json),
      R"({"type":"/problems/invalid-settings","title":"The settings are not valid","status":422,)"
      R"("detail":"/settings/port: 70000 is above 65535","code":"invalid_settings","correlationId":"01J",)"
      R"("errors":[{"pointer":"/settings/port","code":"out_of_range","message":"70000 is above 65535"},)"
      R"({"pointer":"/settings/hots","code":"unknown_property","message":"There is no \"hots\"."}]})");
}

}  // namespace
}  // namespace tributary::api
