// file.watch: what is found, when it is read, and what becomes of it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "connectors/file/src/watch.hpp"
#include "connectors/file/tests/fixture.hpp"
#include "tests/support/recording_sink.hpp"

namespace tributary::connectors::file {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Watch : public FileTest {
 protected:
  ~Watch() override { finish(); }  // while the sink is there
  using Subscription = std::unique_ptr<sdk::Subscription>;
  // Quick, where a test says nothing else.
  std::shared_ptr<const sdk::Operation> operation(const std::string& settings) const {
    Json quick = json(R"({"stableForMs": 0, "pollIntervalMs": 3600000})");
    quick.merge_or_update(json(settings));
    auto prepared = try_prepare("file.watch", quick);
    EXPECT_TRUE(prepared) << prepared.error().message;
    return *prepared;
  }
  Subscription subscribe(sdk::Session& session, const sdk::Operation& operation) {
    auto& subscriber = dynamic_cast<sdk::Subscriber&>(session);
    auto made = context_.run(subscriber.subscribe(operation, sink_, context_.in(5s)));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  // A whole file at once.
  void arrive(const std::string& name, const std::string& text) const {
    put("../arriving", text);
    fs::create_directories((root() / name).parent_path());
    fs::rename(directory_.path() / "arriving", root() / name);
  }
  bool received(std::size_t count, Duration time = 10s) {
    return context_.run_until([&] { return sink_.records.size() >= count; }, time);
  }
  // Time for what should not come.
  void idle(Duration time = 300ms) {
    context_.run_until([] { return false; }, time);
  }
  std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const Record& record : sink_.records) all.push_back(to_text(record.at("payload")));
    return all;
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const Record& record : sink_.records) all.push_back(record.at("path").as_string());
    return all;
  }
  std::string code(std::size_t index) const {
    const Record& record = sink_.records.at(index);
    return record.contains("error") ? record.at("error").at("code").as_string() : "";
  }
  test::RecordingSink sink_{context_.executor()};
};

TEST_F(Watch, files_that_are_there_and_files_that_come_are_read_line_by_line) {
  put("inbox/a.jsonl", "{\"n\":1}\n{\"n\":2}\n");
  put("inbox/a.txt", "{\"n\":9}\n");
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "inbox/*.jsonl"})");
  const auto watching = subscribe(*session, *watch);
  ASSERT_TRUE(received(2));
  arrive("inbox/b.jsonl", "{\"n\":3}");
  ASSERT_TRUE(received(3)) << "told by the system: the next look is an hour away";
  EXPECT_THAT(payloads(), ElementsAre(R"({"n":1})", R"({"n":2})", R"({"n":3})"));
  EXPECT_THAT(paths(), ElementsAre("inbox/a.jsonl", "inbox/a.jsonl", "inbox/b.jsonl"));
  const Record& first = sink_.records[0];
  EXPECT_EQ(first.at("number").as<int>(), 1);
  EXPECT_FALSE(first.at("last").as<bool>());
  EXPECT_EQ(first.at("size").as<int>(), 16);
  EXPECT_THAT(first.at("modified").as_string(), testing::EndsWith("Z"));
  EXPECT_TRUE(sink_.records[1].at("last").as<bool>());
  EXPECT_TRUE(sink_.records[2].at("last").as<bool>());
  EXPECT_TRUE(fs::exists(root() / "inbox/a.jsonl"));
}

TEST_F(Watch, csv_text_and_files_that_are_not_read) {
  arrive("a.csv", "\xEF\xBB\xBFname;speed\r\nx;1480\r\ny;\r\n");
  const auto session = connect();
  const auto csv = operation(R"({"pattern": "*.csv", "format": "csv", "delimiter": "semicolon"})");
  auto watching = subscribe(*session, *csv);
  ASSERT_TRUE(received(2));
  EXPECT_THAT(payloads(),
              ElementsAre(R"({"name":"x","speed":1480})", R"({"name":"y","speed":null})"));
  context_.run(watching->cancel(context_.in(5s)));
  sink_.records.clear();
  const auto text = operation(R"({"pattern": "*.csv", "format": "text"})");
  watching = subscribe(*session, *text);
  ASSERT_TRUE(received(1));
  EXPECT_EQ(sink_.records[0].at("payload").as_string(), content("a.csv"));
  context_.run(watching->cancel(context_.in(5s)));
  sink_.records.clear();
  const auto none = operation(R"({"pattern": "*.csv", "format": "none"})");
  watching = subscribe(*session, *none);
  ASSERT_TRUE(received(1));
  EXPECT_TRUE(sink_.records[0].at("payload").is_null());
  EXPECT_TRUE(sink_.records[0].at("last").as<bool>());
  EXPECT_EQ(sink_.records[0].at("size").as<std::size_t>(), content("a.csv").size());
}

TEST_F(Watch, new_folders_below_are_found_and_hidden_names_are_not) {
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "lines/**/*.jsonl"})");
  const auto watching = subscribe(*session, *watch);
  idle(100ms);
  fs::create_directories(root() / "lines/3");
  idle(200ms);
  arrive("lines/3/deep/er/a.jsonl", "1\n");
  ASSERT_TRUE(received(1));
  arrive("lines/b.jsonl", "2\n");
  ASSERT_TRUE(received(2));
  arrive("lines/.hidden.jsonl", "3\n");
  arrive("lines/.folder/c.jsonl", "4\n");
  arrive("other/d.jsonl", "5\n");
  idle();
  EXPECT_THAT(paths(), ElementsAre("lines/3/deep/er/a.jsonl", "lines/b.jsonl"));
}

TEST_F(Watch, a_file_is_read_when_it_has_been_quiet_for_long_enough) {
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "*.jsonl", "stableForMs": 2000})");
  const auto watching = subscribe(*session, *watch);
  for (int i = 0; i < 5; ++i) {
    std::ofstream(root() / "growing.jsonl", std::ios::app) << i << "\n";
    idle(250ms);
    ASSERT_THAT(sink_.records, IsEmpty()) << "after " << i;
  }
  ASSERT_TRUE(received(5));
  idle(2500ms);
  EXPECT_THAT(payloads(), ElementsAre("0", "1", "2", "3", "4")) << "once, and whole";
}

TEST_F(Watch, a_file_that_changes_is_read_again_or_not) {
  for (const bool again : {true, false}) {
    sink_.records.clear();
    put("a.jsonl", "1\n");
    const auto session = connect();
    const auto watch = operation(again ? R"({"pattern": "a.jsonl"})"
                                       : R"({"pattern": "a.jsonl", "changed": "ignore"})");
    const auto watching = subscribe(*session, *watch);
    ASSERT_TRUE(received(1));
    put("a.jsonl", "1\n2\n");
    EXPECT_EQ(received(3, again ? 10s : 500ms), again);
    const std::size_t before = sink_.records.size();
    arrive("a.jsonl", "7\n");
    ASSERT_TRUE(received(before + 1)) << "another file of that name";
    EXPECT_EQ(payloads().back(), "7");
    fs::remove(root() / "a.jsonl");
    idle(200ms);
    put("a.jsonl", "8\n");
    ASSERT_TRUE(received(before + 2));
  }
}

TEST_F(Watch, what_was_there_first_can_be_left_alone) {
  put("old.jsonl", "1\n");
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "*.jsonl", "existing": "skip"})");
  const auto watching = subscribe(*session, *watch);
  idle();
  EXPECT_THAT(sink_.records, IsEmpty());
  arrive("new.jsonl", "2\n");
  ASSERT_TRUE(received(1));
  put("old.jsonl", "3\n4\n");
  ASSERT_TRUE(received(3));
  EXPECT_THAT(payloads(), ElementsAre("2", "3", "4"));
}

TEST_F(Watch, files_are_moved_or_deleted_when_all_was_accepted) {
  const auto session = connect();
  auto watch = operation(R"({"pattern": "in/*", "after": "move", "moveTo": "out/done"})");
  auto watching = subscribe(*session, *watch);
  arrive("in/a.jsonl", "1\n");
  ASSERT_TRUE(context_.run_until([&] { return fs::exists(root() / "out/done/a.jsonl"); }));
  arrive("in/a.jsonl", "2\n");
  ASSERT_TRUE(context_.run_until([&] { return fs::exists(root() / "out/done/a.1.jsonl"); }));
  EXPECT_EQ(content("out/done/a.jsonl"), "1\n");
  EXPECT_EQ(content("out/done/a.1.jsonl"), "2\n");
  EXPECT_TRUE(fs::is_empty(root() / "in"));
  context_.run(watching->cancel(context_.in(5s)));

  watch = operation(R"({"pattern": "**/*.jsonl", "after": "delete"})");
  watching = subscribe(*session, *watch);
  ASSERT_TRUE(context_.run_until([&] { return fs::is_empty(root() / "out/done"); }));
  EXPECT_THAT(payloads(), ElementsAre("1", "2", "1", "2"));
  idle();
  EXPECT_THAT(sink_.records, testing::SizeIs(4));
}

TEST_F(Watch, the_folder_for_what_is_done_is_not_watched) {
  put("done/old.jsonl", "9\n");
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "**/*.jsonl", "after": "move"})");
  const auto watching = subscribe(*session, *watch);
  arrive("a.jsonl", "1\n");
  ASSERT_TRUE(context_.run_until([&] { return fs::exists(root() / "done/a.jsonl"); }));
  idle();
  EXPECT_THAT(payloads(), ElementsAre("1"));
}

TEST_F(Watch, a_file_whose_records_were_not_accepted_stays_and_comes_again) {
  put("a.jsonl", "1\n2\n");
  const auto session = connect();
  const auto watch =
      operation(R"({"pattern": "*.jsonl", "after": "delete", "pollIntervalMs": 500})");
  sink_.refusal = Error{ErrorClass::kBusy, "full", "No room"};
  const auto watching = subscribe(*session, *watch);
  ASSERT_TRUE(context_.run_until([&] { return sink_.deliveries >= 2; }));
  EXPECT_TRUE(fs::exists(root() / "a.jsonl"));
  sink_.refusal.reset();
  ASSERT_TRUE(received(2));
  ASSERT_TRUE(context_.run_until([&] { return !fs::exists(root() / "a.jsonl"); }));
  EXPECT_THAT(payloads(), ElementsAre("1", "2"));
}

TEST_F(Watch, a_session_that_ends_within_a_file_reads_it_again_and_what_was_read_is_remembered) {
  std::string lines;
  constexpr std::size_t kMany = 3 * kMaxBatchRecords;
  for (std::size_t i = 0; i < kMany; ++i) lines += fmt::format("{}\n", i);
  put("first.jsonl", "0\n");
  fs::last_write_time(root() / "first.jsonl", fs::file_time_type::clock::now() - 1h);
  const auto watch = operation(R"({"pattern": "*.jsonl"})");
  {
    const auto session = connect();
    auto watching = subscribe(*session, *watch);
    ASSERT_TRUE(received(1));
    sink_.stall();
    arrive("many.jsonl", lines);
    ASSERT_TRUE(context_.run_until([&] { return sink_.deliveries == 2; }));
    session->abort();
    sink_.release();
    context_.drain();
    EXPECT_EQ(sink_.deliveries, 2U);
  }
  sink_.records.clear();
  const auto session = connect();
  const auto watching = subscribe(*session, *watch);
  ASSERT_TRUE(received(kMany));
  idle();
  ASSERT_EQ(sink_.records.size(), kMany) << "the first file was read";
  for (std::size_t i = 0; i < kMany; ++i)
    ASSERT_EQ(sink_.records[i].at("payload").as<std::size_t>(), i);
}

TEST_F(Watch, without_events_files_are_found_by_looking) {
  put("a.jsonl", "1\n");
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "*.jsonl", "pollIntervalMs": 500})");
  const auto watching = subscribe(*session, *watch);
  ASSERT_TRUE(received(1));
  // A writer that keeps its file open says nothing.
  const int file = ::open((root() / "a.jsonl").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_EQ(::write(file, "2\n", 2), 2);
  EXPECT_TRUE(received(3, 5s));
  ::close(file);
}

TEST_F(Watch, a_burst_beyond_the_queue_of_events_loses_nothing) {
  constexpr std::size_t kFiles = 1800;
  constexpr std::size_t kNoise = 10;  // changes of two files in turn: none is taken for the other
  std::size_t queue = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> queue;
  if (queue == 0 || queue > kFiles * kNoise) GTEST_SKIP() << "a queue of " << queue << " events";
  fs::create_directory(root() / "a");
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "a/*.jsonl", "after": "delete", "format": "none"})");
  const auto watching = subscribe(*session, *watch);
  idle(200ms);
  // The loop does not run meanwhile, so that nobody takes events out of the queue.
  for (std::size_t i = 0; i < kFiles; ++i) {
    put(fmt::format("a/{}.jsonl", i), "1\n");
    const std::size_t other = i == 0 ? 0 : i - 1;
    for (std::size_t k = 0; k < kNoise; ++k)
      ::chmod((root() / fmt::format("a/{}.jsonl", k % 2 == 0 ? i : other)).c_str(), 0600);
  }
  ASSERT_TRUE(received(kFiles, 60s)) << sink_.records.size();
  ASSERT_TRUE(context_.run_until([&] { return fs::is_empty(root() / "a"); }));
  const auto all = paths();
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), kFiles);
}

TEST_F(Watch, lines_that_are_no_records_and_files_that_are_no_text_are_told_and_passed) {
  put("a.jsonl",
      "{\"n\":1}\n{broken\n{\"n\":3}\n" + std::string(60, '[') + std::string(60, ']') + "\n\xFF\n");
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "*", "after": "delete"})");
  auto watching = subscribe(*session, *watch);
  ASSERT_TRUE(received(5));
  EXPECT_THAT(payloads(), ElementsAre(R"({"n":1})", R"("{broken")", R"({"n":3})", "null", "null"));
  for (const std::size_t bad : {1U, 3U, 4U}) EXPECT_EQ(code(bad), "invalid_record") << bad;
  EXPECT_EQ(code(2), "");
  ASSERT_TRUE(context_.run_until([&] { return !fs::exists(root() / "a.jsonl"); }));

  arrive("torn.jsonl", "1\n{\"n\":");
  ASSERT_TRUE(received(7));
  EXPECT_EQ(code(6), "invalid_record") << "a complete file does not end so";
  context_.run(watching->cancel(context_.in(5s)));

  const auto text = operation(R"({"pattern": "*", "format": "text", "after": "delete"})");
  watching = subscribe(*session, *text);
  arrive("b", "\xFF\xFE");
  ASSERT_TRUE(received(8));
  idle();
  EXPECT_EQ(code(7), "invalid_utf8");
  EXPECT_TRUE(fs::exists(root() / "b")) << "what could not be read is not deleted";
}

TEST_F(Watch, a_quote_without_an_end_is_told) {
  put("a.csv", "name,speed\nx,1\n\"y,2\n");
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "*.csv", "format": "csv"})");
  const auto watching = subscribe(*session, *watch);
  ASSERT_TRUE(received(2));
  EXPECT_EQ(code(1), "invalid_record");
  EXPECT_TRUE(sink_.records[1].at("last").as<bool>());
}

TEST_F(Watch, empty_files_are_one_record) {
  put("a.csv", "name,speed\n");
  put("b.csv", "");
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "*.csv", "format": "csv"})");
  const auto watching = subscribe(*session, *watch);
  ASSERT_TRUE(received(2));
  EXPECT_THAT(payloads(), ElementsAre("null", "null"));
  EXPECT_TRUE(sink_.records[0].at("last").as<bool>());
  EXPECT_EQ(sink_.records[0].at("number").as<int>(), 0);
}

TEST_F(Watch, edge_32_a_file_of_any_size_passes_through_bounded_memory) {
  constexpr std::size_t kLines = 150'000;
  {
    std::ofstream file(root() / "large.jsonl");
    const std::string text(240, 'x');
    for (std::size_t i = 0; i < kLines; ++i)
      file << "{\"n\":" << i << ",\"t\":\"" << text << "\"}\n";
  }
  class Counting final : public sdk::Sink {
   public:
    Task<Result<void>> deliver(Batch batch) override {
      for (const Record& record : batch.records()) {
        in_order = in_order && record.at("payload").at("n").as<std::size_t>() == count;
        ++count;
      }
      largest = std::max(largest, batch.size());
      co_return Result<void>{};
    }
    std::size_t count = 0;
    std::size_t largest = 0;
    bool in_order = true;
  } sink;
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "*.jsonl"})");
  auto& subscriber = dynamic_cast<sdk::Subscriber&>(*session);
  const std::size_t before = test::resident_bytes();
  std::size_t most = 0;
  const auto watching = context_.run(subscriber.subscribe(*watch, sink, context_.in(5s)));
  ASSERT_TRUE(watching);
  ASSERT_TRUE(context_.run_until(
      [&] {
        most = std::max(most, test::resident_bytes());
        return sink.count == kLines;
      },
      100s));
  EXPECT_TRUE(sink.in_order);
  EXPECT_LE(sink.largest, kMaxBatchRecords);
  EXPECT_LT(most, before + (16U << 20)) << "of a file of 40 MB";
}

TEST_F(Watch, a_text_or_line_beyond_its_bound_is_told_and_the_file_stays) {
  put("large.txt", "");
  fs::resize_file(root() / "large.txt", kMaxTextFile + 1);
  put("line.jsonl", "1\n");
  fs::resize_file(root() / "line.jsonl", 17U << 20U);
  const auto session = connect();
  const auto text = operation(R"({"pattern": "*.txt", "format": "text", "after": "delete"})");
  const auto lines = operation(R"({"pattern": "*.jsonl", "after": "delete"})");
  const auto first = subscribe(*session, *text);
  ASSERT_TRUE(received(1));
  EXPECT_EQ(code(0), "file_too_large");
  const auto second = subscribe(*session, *lines);
  ASSERT_TRUE(received(3));
  EXPECT_EQ(code(2), "invalid_record");
  idle();
  EXPECT_EQ(sink_.records.size(), 3U);
  EXPECT_TRUE(fs::exists(root() / "large.txt") && fs::exists(root() / "line.jsonl"));
}

TEST_F(Watch, a_folder_that_goes_is_a_loss_told_once) {
  const auto session = connect();
  const auto one = operation(R"({"pattern": "*.jsonl", "pollIntervalMs": 500})");
  const auto two = operation(R"({"pattern": "*.csv", "pollIntervalMs": 500})");
  const auto first = subscribe(*session, *one);
  const auto second = subscribe(*session, *two);
  idle(100ms);
  fs::rename(root(), directory_.path() / "moved");
  ASSERT_TRUE(context_.run_until([&] { return !context_.events().losses.empty(); }));
  idle(1s);
  ASSERT_EQ(context_.events().losses.size(), 1U);
  EXPECT_EQ(context_.events().losses[0].code, "root_replaced");
}

TEST_F(Watch, cancelling_ends_between_two_batches_and_leaves_nothing_open) {
  std::string lines;
  for (std::size_t i = 0; i < 5 * kMaxBatchRecords; ++i) lines += "1\n";
  put("a.jsonl", lines);
  const auto session = connect();
  const std::size_t before = test::open_descriptors();
  const auto watch = operation(R"({"pattern": "*.jsonl", "after": "delete"})");
  sink_.stall();
  auto watching = subscribe(*session, *watch);
  ASSERT_TRUE(context_.run_until([&] { return sink_.deliveries == 1; }));
  auto cancelling = context_.start(watching->cancel(context_.in(5s)));
  context_.drain();
  sink_.release();
  context_.finish(cancelling);
  const std::size_t count = sink_.records.size();
  EXPECT_LE(count, kMaxBatchRecords);
  arrive("b.jsonl", "2\n");
  idle();
  EXPECT_EQ(sink_.records.size(), count);
  EXPECT_TRUE(fs::exists(root() / "a.jsonl"));
  watching.reset();
  context_.drain();
  EXPECT_LE(test::open_descriptors(), before);
}

TEST_F(Watch, settings_that_cannot_work_are_refused_with_a_pointer) {
  struct Case {
    std::string settings;
    std::string code;
    std::string pointer;
    bool read_only = false;
  };
  for (const Case& each : std::vector<Case>{
           {R"({"pattern": "/etc/*"})", "invalid_pattern", "/settings/pattern"},
           {R"({"pattern": "../*"})", "invalid_pattern", "/settings/pattern"},
           {R"({"pattern": "a//b"})", "invalid_pattern", "/settings/pattern"},
           {R"({"pattern": "a/**"})", "invalid_pattern", "/settings/pattern"},
           {R"({"pattern": "**/a/**/b"})", "invalid_pattern", "/settings/pattern"},
           {R"({"pattern": "a**"})", "invalid_pattern", "/settings/pattern"},
           {R"({"pattern": "a\\b"})", "invalid_pattern", "/settings/pattern"},
           {R"({"pattern": "a", "after": "move", "moveTo": "../x"})", "invalid_path",
            "/settings/moveTo"},
           {R"({"pattern": "done/*", "after": "move"})", "moves_into_itself", "/settings/moveTo"},
           {R"({"pattern": "a", "after": "delete"})", "read_only_connection", "/settings/after",
            true}}) {
    const auto prepared = try_prepare("file.watch", json(each.settings), each.read_only);
    ASSERT_FALSE(prepared) << each.settings;
    EXPECT_EQ(prepared.error().error_class, ErrorClass::kFunction);
    EXPECT_EQ(prepared.error().code, each.code) << each.settings;
    EXPECT_EQ(prepared.error().pointer, each.pointer) << each.settings;
  }
}

// ---- I1: nothing beyond the root ----

TEST_F(Watch, i1_links_second_names_and_pipes_are_left_alone) {
  fs::create_directories(directory_.path() / "outside/folder");
  std::ofstream(directory_.path() / "outside/secret.jsonl") << "{\"secret\":1}\n";
  std::ofstream(directory_.path() / "outside/folder/secret.jsonl") << "{\"secret\":2}\n";
  fs::create_symlink(directory_.path() / "outside/secret.jsonl", root() / "link.jsonl");
  fs::create_symlink(directory_.path() / "outside/folder", root() / "folder");
  fs::create_hard_link(directory_.path() / "outside/secret.jsonl", root() / "hard.jsonl");
  ASSERT_EQ(::mkfifo((root() / "pipe.jsonl").c_str(), 0600), 0);
  fs::create_directory(root() / "dir.jsonl");
  put("plain.jsonl", "1\n");
  const auto session = connect();
  for (const char* pattern : {"*.jsonl", "**/*.jsonl", "folder/secret.jsonl", "link.jsonl"}) {
    sink_.records.clear();
    const auto watch = operation(fmt::format(R"({{"pattern": "{}"}})", pattern));
    const auto watching = subscribe(*session, *watch);
    idle(200ms);
    for (const std::string& path : paths()) EXPECT_EQ(path, "plain.jsonl") << pattern;
  }
  EXPECT_TRUE(fs::exists(directory_.path() / "outside/secret.jsonl"));
}

TEST_F(Watch, i1_a_folder_that_is_swapped_for_a_link_again_and_again_never_leads_out) {
  fs::create_directory(directory_.path() / "outside");
  std::ofstream(directory_.path() / "outside/a.jsonl") << "\"secret\"\n";
  fs::create_directory(root() / "real");
  fs::create_symlink(directory_.path() / "outside", root() / "link");
  std::atomic<bool> over = false;
  std::thread swapper([&] {
    while (!over)
      ::renameat2(AT_FDCWD, (root() / "real").c_str(), AT_FDCWD, (root() / "link").c_str(),
                  RENAME_EXCHANGE);
  });
  std::thread writer([&] {
    while (!over) {
      const int folder = ::open((root() / "real").c_str(), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (folder < 0) continue;
      const int file = ::openat(folder, "a.jsonl", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      if (file >= 0 && ::write(file, "\"fair\"\n", 7) == 7) ::close(file);
      ::close(folder);
    }
  });
  const auto session = connect();
  const auto watch =
      operation(R"({"pattern": "*/a.jsonl", "after": "move", "pollIntervalMs": 500})");
  const auto watching = subscribe(*session, *watch);
  context_.run_until([&] { return sink_.records.size() > 100; }, 8s);
  over = true;
  swapper.join();
  writer.join();
  EXPECT_FALSE(sink_.records.empty());
  for (const std::string& payload : payloads()) EXPECT_NE(payload, "\"secret\"");
  EXPECT_EQ(text_of(directory_.path() / "outside/a.jsonl"), "\"secret\"\n");
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(Watch, i1_a_file_that_is_exchanged_before_it_is_deleted_is_not_lost) {
  put("a.jsonl", "1\n");
  const auto session = connect();
  const auto watch = operation(R"({"pattern": "*.jsonl", "after": "delete"})");
  sink_.stall();
  const auto watching = subscribe(*session, *watch);
  ASSERT_TRUE(context_.run_until([&] { return sink_.deliveries == 1; }));
  arrive("a.jsonl", "2\n");  // while the first one's records are not accepted yet
  sink_.release();
  ASSERT_TRUE(received(2));
  EXPECT_THAT(payloads(), ElementsAre("1", "2"));
  ASSERT_TRUE(context_.run_until([&] { return fs::is_empty(root()); }));
}

TEST(Glob, parts_match_names) {
  struct Case {
    const char* pattern;
    const char* name;
    bool matches;
  };
  for (const Case& each : std::vector<Case>{{"*.csv", "a.csv", true},
                                            {"*.csv", "a.csv.tmp", false},
                                            {"*.csv", ".csv", false},
                                            {".*", ".csv", true},
                                            {"a?c", "abc", true},
                                            {"a?c", "ac", false},
                                            {"[ab]*", "bx", true},
                                            {"[!ab]*", "bx", false},
                                            {"ä*", "äö", true},
                                            {"a b", "a b", true}}) {
    const auto glob = Glob::parse(each.pattern);
    ASSERT_TRUE(glob) << each.pattern;
    EXPECT_EQ(glob->matches(0, each.name), each.matches) << each.pattern << ' ' << each.name;
  }
}

}  // namespace
}  // namespace tributary::connectors::file
