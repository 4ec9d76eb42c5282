// Appending, replacing, rotating; what is left after a crash or on a full disk.
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "connectors/file/tests/fixture.hpp"

namespace tributary::connectors::file {
namespace {

using testing::HasSubstr;

constexpr const char* kJson = R"({"path":"a/b/data.jsonl"})";
constexpr const char* kCsv = R"({"path":"data.csv","format":"csv"})";

class Write : public FileTest {
 protected:
  std::unique_ptr<sdk::Session> session_ = connect();
};

TEST_F(Write, records_are_appended_as_lines_of_json_exactly) {
  const auto written = write(
      *session_, kJson, R"([{"a":9007199254740993,"t":"x\ny"},{"$meta":{"time":1},"b":null}])");
  ASSERT_TRUE(written) << written.error().message;
  ASSERT_TRUE(write(*session_, kJson, R"([5])"));
  EXPECT_EQ(content("a/b/data.jsonl"),
            "{\"a\":9007199254740993,\"t\":\"x\\ny\"}\n{\"$meta\":{\"time\":1},\"b\":null}\n5\n");
  EXPECT_EQ(written->records()[0]["records"].as<int>(), 2);
}

TEST_F(Write, i4_files_are_0600_and_folders_0700) {
  ASSERT_TRUE(write(*session_, kJson, "[{}]"));
  ASSERT_TRUE(write(*session_, R"({"path":"c/d.jsonl","mode":"replace"})", "[{}]"));
  for (const auto& entry : fs::recursive_directory_iterator(root())) {
    const auto expected = entry.is_directory() ? fs::perms::owner_all
                                               : fs::perms::owner_read | fs::perms::owner_write;
    EXPECT_EQ(entry.status().permissions(), expected) << entry.path();
  }
}

TEST_F(Write, csv_has_a_header_once_and_quotes_what_must_be) {
  ASSERT_TRUE(
      write(*session_, kCsv,
            R"([{"time":"2026","text":"a,\"b\"\nc","n":1.5,"on":true,"none":null,"list":[1]}])"));
  ASSERT_TRUE(write(*session_, kCsv,
                    R"([{"time":"x","text":"","n":-2,"on":false,"none":null,"list":[]}])"));
  EXPECT_EQ(content("data.csv"),
            "time,text,n,on,none,list\r\n\"2026\",\"a,\"\"b\"\"\nc\",1.5,true,,[1]\r\nx,\"\",-2,"
            "false,,[]\r\n");
  EXPECT_EQ(read_text(*session_, kCsv),
            "{\"time\":\"2026\",\"text\":\"a,\\\"b\\\"\\nc\",\"n\":1.5,\"on\":true,\"none\":null,"
            "\"list\":\"[1]\"}\n"
            "{\"time\":\"x\",\"text\":\"\",\"n\":-2,\"on\":false,\"none\":null,\"list\":\"[]\"}\n");
}

TEST_F(Write, i3_texts_that_a_spreadsheet_would_run_are_neutralised) {
  for (const std::string bad :
       {"=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x"}) {
    Json parameters = json(R"({"records":[{"v":""}]})");
    parameters["records"][0]["v"] = bad;
    ASSERT_TRUE(call(*session_, "file.write",
                     json(R"({"path":"f.csv","format":"csv","mode":"replace"})"), parameters));
    const auto back = read(*session_, R"({"path":"f.csv","format":"csv","numbers":"text"})");
    ASSERT_TRUE(back);
    EXPECT_EQ(back->records()[0]["v"].as_string(), "'" + bad);
  }
  ASSERT_TRUE(write(*session_, R"({"path":"g.csv","format":"csv"})", R"([{"v":"-5","w":-5}])"));
  EXPECT_EQ(content("g.csv"), "v,w\r\n\"-5\",-5\r\n") << "a number is no formula";
}

TEST_F(Write, columns_are_chosen_and_a_file_with_others_is_left_alone) {
  ASSERT_TRUE(write(
      *session_,
      R"({"path":"x.csv","format":"csv","delimiter":"semicolon","columns":["$meta.time","a.b"]})",
      R"([{"$meta":{"time":"t"},"a":{"b":7},"c":1}])"));
  EXPECT_EQ(content("x.csv"), "$meta.time;a.b\r\nt;7\r\n");
  const auto other = connect();
  const auto refused =
      write(*other, R"({"path":"x.csv","format":"csv","delimiter":"semicolon"})", R"([{"z":1}])");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "header_mismatch");
  const auto extra = write(*session_, kCsv, R"([{"a":1},{"a":2,"b":3}])");
  ASSERT_FALSE(extra);
  EXPECT_EQ(extra.error().code, "unknown_field");
  EXPECT_EQ(extra.error().pointer, "/parameters/records/1/b");
  EXPECT_FALSE(fs::exists(root() / "data.csv")) << "none, when not all";
}

TEST_F(Write, edge_27_a_torn_record_is_cut_off_before_the_next_is_written) {
  put("a/b/data.jsonl", "{\"a\":1}\n{\"a\":2");
  const auto written = write(*session_, kJson, R"([{"a":3}])");
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(content("a/b/data.jsonl"), "{\"a\":1}\n{\"a\":3}\n");
  EXPECT_EQ(written->records()[0]["repairedBytes"].as<int>(), 6);
  put("whole.jsonl", "{\"a\":1}");
  ASSERT_TRUE(write(*session_, R"({"path":"whole.jsonl"})", R"([{"a":3}])"));
  EXPECT_EQ(content("whole.jsonl"), "{\"a\":1}\n{\"a\":3}\n") << "only its line break was missing";
  put("data.csv", "a,b\r\n1,x\r\n2,\"two\nlin");
  ASSERT_TRUE(write(*session_, kCsv, R"([{"a":3,"b":"y"}])"));
  EXPECT_EQ(content("data.csv"), "a,b\r\n1,x\r\n3,y\r\n")
      << "a line break inside quotes ends nothing";
  put("torn.csv", "a");
  ASSERT_TRUE(write(*session_, R"({"path":"torn.csv","format":"csv"})", R"([{"a":3}])"));
  EXPECT_EQ(content("torn.csv"), "a\r\n3\r\n");
}

TEST_F(Write, a_torn_end_is_repaired_wherever_the_crash_came) {
  const std::string first = "{\"a\":\"\\u00e9\\n\"}\n";
  const std::string second = "{\"b\":[1,2,{\"c\":null}]}\n";
  for (std::size_t cut = 0; cut < second.size(); ++cut) {
    put("t.jsonl", first + second.substr(0, cut));
    const auto other = connect();
    ASSERT_TRUE(write(*other, R"({"path":"t.jsonl","sync":"never"})", "[{}]"));
    const bool whole = cut == second.size() - 1;
    ASSERT_EQ(content("t.jsonl"), first + (whole ? second : "") + "{}\n") << cut;
  }
}

TEST_F(Write, replace_is_seen_whole_or_not_at_all) {
  ASSERT_TRUE(write(*session_, R"({"path":"r.jsonl","mode":"replace"})", R"([{"a":1},{"a":2}])"));
  ASSERT_TRUE(write(*session_, R"({"path":"r.jsonl","mode":"replace"})", R"([{"a":3}])"));
  EXPECT_EQ(content("r.jsonl"), "{\"a\":3}\n");
  put(".r.jsonl.tributary", "left behind by a crash");
  ASSERT_TRUE(write(*session_, R"({"path":"r.jsonl","mode":"replace"})", R"([{"a":4}])"));
  EXPECT_EQ(content("r.jsonl"), "{\"a\":4}\n");
  EXPECT_FALSE(fs::exists(root() / ".r.jsonl.tributary"));
}

TEST_F(Write, files_rotate_by_size_and_by_time) {
  const std::string settings = R"({"path":"s.jsonl","rotateBytes":20})";
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(write(*session_, settings, R"([{"a":111}])"));
  EXPECT_EQ(content("s.jsonl"), "{\"a\":111}\n{\"a\":111}\n");
  EXPECT_EQ(content("s.1.jsonl"), "{\"a\":111}\n{\"a\":111}\n");
  EXPECT_EQ(content("s.2.jsonl"), "{\"a\":111}\n");
  const auto later = connect();
  ASSERT_TRUE(write(*later, settings, R"([{"a":111}])"));
  EXPECT_EQ(content("s.2.jsonl"), "{\"a\":111}\n{\"a\":111}\n") << "the number is found again";
  const auto dated = write(*session_, R"({"path":"%Y/%m-%d.jsonl"})", "[{}]");
  ASSERT_TRUE(dated);
  const std::string today = format_utc(context_.clock().utc_now()).substr(0, 10);
  EXPECT_EQ(dated->records()[0]["path"].as_string(),
            today.substr(0, 4) + "/" + today.substr(5) + ".jsonl");
}

// A file system of the test's own, or a skipped test where mounting is not allowed.
TEST_F(Write, edge_28_a_full_disk_leaves_nothing_half_written_and_heals_by_itself) {
  if (::mount("none", root().c_str(), "tmpfs", 0, "size=256k") != 0)
    GTEST_SKIP() << "mounting is not permitted here";
  const auto other = connect();
  ASSERT_TRUE(write(*other, R"({"path":"d.jsonl"})", R"([{"a":1}])"));
  Json big = json(R"({"records":[{"v":""}]})");
  big["records"][0]["v"] = std::string(400'000, 'x');
  const auto full = call(*other, "file.write", json(R"({"path":"d.jsonl"})"), big);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, "disk_full");
  EXPECT_EQ(full.error().error_class, ErrorClass::kBusy);
  EXPECT_FALSE(full.error().outcome_unknown);
  EXPECT_EQ(content("d.jsonl"), "{\"a\":1}\n");
  const auto third = connect();
  const auto replaced =
      call(*third, "file.write", json(R"({"path":"e.jsonl","mode":"replace"})"), big);
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().code, "disk_full");
  const auto again = connect();
  EXPECT_TRUE(write(*again, R"({"path":"d.jsonl"})", R"([{"a":2}])"));
  EXPECT_EQ(content("d.jsonl"), "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(root()), fs::directory_iterator()), 1)
      << "nothing is left beside";
  ::umount2(root().c_str(), MNT_DETACH);
}

TEST_F(Write, a_file_that_may_not_grow_is_an_error_of_the_call_and_keeps_what_it_had) {
  ASSERT_TRUE(write(*session_, R"({"path":"l.jsonl"})", R"([{"a":1}])"));
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  Json big = json(R"({"records":[{"v":""}]})");
  big["records"][0]["v"] = std::string(4000, 'x');
  const auto refused = call(*session_, "file.write", json(R"({"path":"l.jsonl"})"), big);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "file_too_large");
  EXPECT_EQ(content("l.jsonl"), "{\"a\":1}\n");
}

TEST_F(Write, a_root_that_goes_ends_the_session_and_one_that_cannot_be_used_says_why) {
  fs::rename(root(), directory_.path() / "moved");
  fs::create_directory(root());
  const auto lost = write(*session_, kJson, "[{}]");
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, "root_replaced");
  EXPECT_EQ(lost.error().error_class, ErrorClass::kTransient);
  put("plain", "x");
  const auto code = [&](const std::string& folder) {
    const auto made = session(folder);
    const auto opened = open(*made);
    return opened ? std::string("opened") : opened.error().code;
  };
  EXPECT_EQ(code((root() / "missing").string()), "root_not_found");
  EXPECT_EQ(code((root() / "plain").string()), "root_not_a_directory");
  EXPECT_EQ(code("/."), "root_too_wide");
  EXPECT_EQ(code("/proc/self"), "root_too_wide");
  EXPECT_EQ(code("/sys/kernel"), "root_too_wide");
  put("hub/master.key", "x");
  put("hub/tributary.db", "x");
  EXPECT_EQ(code((root() / "hub").string()), "root_is_hub_data");
}

TEST_F(Write, settings_that_cannot_work_are_refused_when_they_are_saved) {
  const auto code = [&](const std::string& path, bool read_only = false) {
    Json settings = json_object();
    settings.insert_or_assign("path", path);
    const auto prepared = try_prepare("file.write", settings, read_only);
    return prepared ? std::string("accepted") : prepared.error().code;
  };
  EXPECT_EQ(code("a/%Y-%m-%d_%H%M%%/((line)).csv"), "accepted");
  EXPECT_EQ(code("a.jsonl", true), "read_only_connection");
  for (const std::string bad :
       {"/etc/passwd", "..", "a/../b", "./a", "a//b", "a/", "%x", "a\nb", "%"})
    EXPECT_EQ(code(bad), "invalid_path") << bad;
}

}  // namespace
}  // namespace tributary::connectors::file
