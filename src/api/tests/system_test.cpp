// What the hub tells of itself: state, secrets, levels of the log, audit, diagnostics.
#include <boost/beast/zlib/inflate_stream.hpp>
#include <fstream>
#include <regex>
#include <set>

#include "api/diagnostics/archive.hpp"
#include "api/loop_lag.hpp"
#include "api/tests/hub_fixture.hpp"
#include "runtime/log_control.hpp"

namespace tributary::api {
namespace {

using test::Reply;
namespace fs = std::filesystem;

// The files of a .tar.gz, by name.
std::map<std::string, std::string> unpack(const std::string& archive) {
  namespace zlib = boost::beast::zlib;
  constexpr std::size_t kGzipHead = 10;
  std::string tar(64U << 20, '\0');
  zlib::inflate_stream stream;
  zlib::z_params buffers;
  buffers.next_in = archive.data() + kGzipHead;
  buffers.avail_in = archive.size() - kGzipHead - 8;
  buffers.next_out = tar.data();
  buffers.avail_out = tar.size();
  boost::system::error_code end;
  stream.write(buffers, zlib::Flush::finish, end);
  EXPECT_EQ(end, zlib::error::end_of_stream);
  tar.resize(buffers.total_out);
  std::map<std::string, std::string> files;
  for (std::size_t at = 0; at + 512 <= tar.size() && tar[at] != '\0';) {
    const std::size_t size = std::stoul(tar.substr(at + 124, 11), nullptr, 8);
    files[tar.c_str() + at] = tar.substr(at + 512, size);
    at += 512 + (size + 511) / 512 * 512;
  }
  return files;
}

class SystemTest : public test::HubTest {
 protected:
  SystemTest() { start(); }
  ~SystemTest() override { log::set_levels({log::Level::kError, {}}); }
  std::string make(const char* collection, const std::string& body) {
    const Reply made = ask("POST", std::string("/api/v1/") + collection, body);
    EXPECT_EQ(made.status, 201) << made.body;
    return made.header("Location");
  }
  Json items(const std::string& path) { return ask("GET", "/api/v1/" + path).json().at("items"); }
  // The same, when there are so many: rows are written behind the answers, soon.
  Json items_when(const std::string& path, std::size_t count) {
    const SteadyTime end = clock_.steady_now() + std::chrono::seconds{20};
    Json found = items(path);
    while (found.size() < count && clock_.steady_now() < end) found = items(path);
    EXPECT_GE(found.size(), count) << path;
    return found;
  }
};

TEST_F(SystemTest, TheHubTellsHowItIs) {
  const Json system = ask("GET", "/api/v1/system").json();
  EXPECT_EQ(system.at("version"), "0.0.0");
  EXPECT_GT(system.at("process").at("residentBytes").as<std::int64_t>(), 1'000'000);
  EXPECT_GE(system.at("process").at("threads").as<int>(), 4);
  EXPECT_GT(system.at("storage").at("storeBytes").as<std::int64_t>(), 0);
  EXPECT_GT(system.at("storage").at("freeBytes").as<std::int64_t>(), 0);
  EXPECT_EQ(system.at("storage").at("dataDirectory"), folder_);
  EXPECT_EQ(system.at("spool").at("records"), 0);
  const Json& loops = system.at("eventLoops");
  ASSERT_EQ(loops.size(), 2U) << "control and one worker";
  EXPECT_EQ(loops[0].at("name"), "control");
  EXPECT_TRUE(loops[1].at("lagMs").is_number());
}

TEST_F(SystemTest, ALoopThatIsBusyShowsItsLagAndOneThatHangsHasNone) {
  std::promise<void> release;
  asio::post(runtime_->worker(0), [waits = release.get_future()] { waits.wait(); });
  std::vector<LoopLag> lags;
  const Duration limit = std::chrono::milliseconds{50};
  auto measured =
      asio::co_spawn(runtime_->control(), measure_loop_lag(*runtime_, limit), asio::use_future);
  lags = measured.get();
  release.set_value();
  ASSERT_EQ(lags.size(), 2U);
  EXPECT_TRUE(lags[0].lag);
  EXPECT_FALSE(lags[1].lag);
}

TEST_F(SystemTest, NodeTypesAreThoseOfTheEngine) {
  const Json types = items("node-types");
  EXPECT_EQ(types.size(), engine_->catalogue().entries().size());
  const auto range = types.array_range();
  const auto found = std::find_if(range.begin(), range.end(),
                                  [](const Json& type) { return type.at("type") == "condition"; });
  ASSERT_TRUE(found != range.end());
  EXPECT_EQ(to_text(found->at("ports")), R"(["true","false"])");
  EXPECT_EQ(found->at("trigger"), false);
  EXPECT_EQ(found->at("title"), found->at("schema").at("title"));
  EXPECT_TRUE(found->at("schema").at("properties").contains("expression"));
}

// The pages hold a copy, so that their canvas needs no request; it is never another one.
TEST_F(SystemTest, NodeTypesAreThoseOfTheInterface) {
  std::ifstream file(TRIBUTARY_SOURCE_DIR "/web/src/features/pipelines/graph/node-types.json");
  const Json copy = parse_json(std::string{std::istreambuf_iterator<char>(file), {}}).value();
  const Json told = items("node-types");
  Json types = json_array();
  for (Json type : told.array_range()) {
    type.erase("title");
    type.erase("description");
    type.at("schema").erase("$schema");
    types.push_back(std::move(type));
  }
  EXPECT_EQ(types, copy);
}

TEST_F(SystemTest, UsersAreListedWithoutTheirPasswords) {
  std::string code;
  on_control([&] { code = auth_->make_setup_code(); });
  ask("POST", "/api/v1/auth/setup",
      fmt::format(R"({{"code":"{}","username":"anna","password":"correct horse battery"}})", code),
      "");
  const Json users = items("users");
  ASSERT_EQ(users.size(), 1U);
  EXPECT_EQ(users[0].at("username"), "anna");
  EXPECT_EQ(users[0].at("role"), "admin");
  EXPECT_EQ(users[0].size(), 4U) << "id, username, role, createdAt";
}

TEST_F(SystemTest, SecretsAreListedWithTheirUserAndNeverWithTheirText) {
  ::setenv("TRIBUTARY_TEST_SECRET", "canary-env", 1);
  make("connections", R"({"name":"b","type":"counter","settings":{"host":"h"},
                          "secrets":{"password":"canary-1"}})");
  make("connections", R"({"name":"a","type":"counter","settings":{"host":"h"}})");
  make("connections", R"({"name":"c","type":"counter","settings":{"host":"h"},
                          "secrets":{"password":"env:TRIBUTARY_TEST_SECRET"}})");
  make("connections", R"({"name":"d","type":"counter","settings":{"host":"h"},
                          "secrets":{"password":"file:/nowhere/at/all"}})");
  make("pipelines", R"({"name":"hook","nodes":[{"id":"t1","type":"trigger.webhook",
       "settings":{"path":"orders","authentication":{"type":"hmac","header":"X-Signature"},"secret":"canary-2"}},
       {"id":"n1","type":"set","settings":{"fields":{}}}],"edges":[{"from":"t1","to":"n1"}]})");
  const Json secrets = items("secrets");
  const auto line = [](const Json& secret) {
    return fmt::format("{} {} {} {} {}", get_string(secret.at("usedBy"), "kind"),
                       get_string(secret.at("usedBy"), "name"), get_string(secret, "name"),
                       get_bool(secret, "set", false), get_string(secret, "source", "none"));
  };
  std::vector<std::string> lines;
  for (const Json& secret : secrets.array_range()) lines.push_back(line(secret));
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "connection a password false none", "connection b password true stored",
                       "connection c password true environment", "connection d password true file",
                       "pipeline hook webhook.t1 true stored"}));
  EXPECT_TRUE(secrets[2].at("problem").is_null());
  EXPECT_NE(get_string(secrets[3], "problem").find("/nowhere/at/all"), std::string::npos);
  EXPECT_EQ(to_text(secrets).find("canary"), std::string::npos) << to_text(secrets);
  EXPECT_EQ(items("secrets?set=false").size(), 1U);
  EXPECT_EQ(items("secrets?name=HOOK").size(), 1U);
  EXPECT_EQ(items("secrets?name=password&set=true").size(), 3U);
  EXPECT_EQ(ask("GET", "/api/v1/secrets?set=maybe").status, 400);
}

TEST_F(SystemTest, LevelsOfTheLogAreChangedAndAudited) {
  log::start(log::Level::kError, folder_ + "/log");
  const Reply before = ask("GET", "/api/v1/system/log");
  EXPECT_EQ(before.json().at("level"), "error");
  EXPECT_EQ(to_text(before.json().at("components")), "{}");
  const std::string match = bearer() + "If-Match: " + before.header("ETag") + "\r\n";
  const char* body = R"({"level":"warning","components":{"counter":"debug"}})";
  EXPECT_EQ(ask("PUT", "/api/v1/system/log", body).status, 428);
  EXPECT_EQ(ask("PUT", "/api/v1/system/log?dryRun=true", body, match).status, 200);
  EXPECT_EQ(log::levels().level, log::Level::kError) << "a dry run";
  const Reply changed = ask("PUT", "/api/v1/system/log", body, match);
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(log::levels().level, log::Level::kWarning);
  EXPECT_EQ(log::levels().components.at("counter"), log::Level::kDebug);
  EXPECT_EQ(ask("PUT", "/api/v1/system/log", body, match).status, 412);
  const Json audited = items_when("audit?action=system.log", 2);
  const auto rows = audited.array_range();
  const auto done = std::find_if(rows.begin(), rows.end(), [](const Json& row) {
    return row.at("detail").at("result") == "done";
  });
  ASSERT_TRUE(done != rows.end());
  EXPECT_EQ(done->at("detail").at("body").at("level"), "warning");
}

TEST_F(SystemTest, WrongLevelsAreNamedByTheirPlace) {
  const auto pointer_of = [this](const char* body) {
    const Reply reply = ask("PUT", "/api/v1/system/log", body, bearer() + "If-Match: *\r\n");
    EXPECT_EQ(reply.status, 422) << reply.body;
    return get_string(reply.json().at("errors")[0], "pointer");
  };
  EXPECT_EQ(pointer_of("{}"), "/level");
  EXPECT_EQ(pointer_of(R"({"level":"loud"})"), "/level");
  EXPECT_EQ(pointer_of(R"({"level":"info","components":[]})"), "/components");
  EXPECT_EQ(pointer_of(R"({"level":"info","components":{"nothing":"info"}})"),
            "/components/nothing");
  EXPECT_EQ(pointer_of(R"({"level":"info","components":{"api":5}})"), "/components/api");
  EXPECT_EQ(pointer_of(R"({"level":"info","more":1})"), "/more");
}

// Every part of the hub that writes lines can have a level of its own.
TEST_F(SystemTest, ThePartsThatAreKnownAreThoseThatLog) {
  std::set<std::string> known;
  const Json levels = ask("GET", "/api/v1/system/log").json();
  for (const Json& name : levels.at("known").array_range()) known.insert(name.as<std::string>());
  known.erase("counter");
  std::set<std::string> logging;
  const std::regex call(R"(log::(?:debug|info|warning|error)\(\s*\"([a-z]+)\")");
  for (const auto& entry : fs::recursive_directory_iterator(TRIBUTARY_SOURCE_DIR "/src")) {
    if (entry.path().extension() != ".cpp" ||
        entry.path().string().find("/tests/") != std::string::npos)
      continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at)
      logging.insert((*at)[1]);
  }
  EXPECT_EQ(known, logging);
}

TEST_F(SystemTest, TheAuditIsSearchedByWhoWhatWhenAndAboutWhat) {
  const std::string path =
      make("connections", R"({"name":"a","type":"counter","settings":{"host":"h"}})");
  const std::string id = path.substr(path.rfind('/') + 1);
  ask("POST", path + "/start");
  ask("POST", path + "/stop");
  ask("POST", "/api/v1/pipelines", "{}");
  // The refusal is the last row; who made the token has one, too.
  items_when("audit?actor=token:test&q=pipeline", 1);
  EXPECT_EQ(items("audit?action=connection").size(), 3U);
  EXPECT_EQ(items("audit?action=connection.start").size(), 1U);
  EXPECT_EQ(items("audit?action=connect").size(), 0U) << "whole words";
  EXPECT_EQ(items("audit?target=" + id).size(), 3U);
  EXPECT_EQ(items("audit?q=CONNECTION.ST").size(), 2U);
  EXPECT_EQ(items("audit?q=%25").size(), 0U) << "a percent sign is one";
  EXPECT_EQ(items("audit?actor=token:test&q=pipeline").size(), 1U);
  EXPECT_EQ(items("audit?actor=somebody").size(), 0U);
  const std::string at = get_string(items("audit?action=connection.stop")[0], "at");
  EXPECT_EQ(items("audit?action=connection.stop&from=" + at).size(), 1U);
  EXPECT_EQ(items("audit?action=connection.stop&to=" + at).size(), 0U);
  EXPECT_EQ(ask("GET", "/api/v1/audit?from=yesterday").status, 400);
  const Json first = ask("GET", "/api/v1/audit?action=connection&limit=2").json();
  const Json rest =
      ask("GET", "/api/v1/audit?action=connection&limit=2&cursor=" + get_string(first, "next"))
          .json();
  EXPECT_EQ(rest.at("items").size(), 1U);
}

TEST_F(SystemTest, DiagnosticsTellTheStateOfEverything) {
  log::start(log::Level::kInfo, folder_ + "/log");
  log::warning("api", "a line to be found");
  const std::string path =
      make("connections", R"({"name":"a","type":"counter","settings":{"host":"h"}})");
  make(("connections/" + path.substr(path.rfind('/') + 1) + "/functions").c_str(),
       R"({"name":"f","type":"counter.read","settings":{}})");
  items_when("audit?action=function.create", 1);
  items_when(path.substr(std::string_view("/api/v1/").size()) + "/events", 1);
  const Reply reply = ask("GET", "/api/v1/system/diagnostics");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Content-Type"), "application/gzip");
  EXPECT_TRUE(std::regex_match(
      reply.header("Content-Disposition"),
      std::regex(R"(attachment; filename="tributary-diagnostics-\d{8}T\d{6}Z\.tar\.gz")")));
  auto files = unpack(reply.body);
  const auto document = [&](const char* name) { return parse_json(files.at(name)).value(); };
  EXPECT_EQ(document("system.json").at("version"), "0.0.0");
  EXPECT_EQ(document("connections.json")[0].at("state").at("status"), "Idle");
  EXPECT_EQ(document("functions.json")[0].at("name"), "f");
  EXPECT_EQ(document("pipelines.json").size(), 0U);
  EXPECT_EQ(document("events.json")[0].at("to"), "Idle");
  EXPECT_EQ(document("audit.json")[0].at("action"), "function.create");
  EXPECT_NE(files.at("log.jsonl").find("a line to be found"), std::string::npos);
  EXPECT_NE(files.at("metrics.txt").find("tributary_connections"), std::string::npos);
}

// Every way by which a secret comes into the hub, and every place where its text might come up.
TEST_F(SystemTest, NoSecretOfAnyKindIsInTheDiagnostics) {
  log::start(log::Level::kInfo, folder_ + "/log");
  ::setenv("TRIBUTARY_TEST_SECRET", "canary-env", 1);
  {
    std::ofstream file(folder_ + "/secret.txt");
    file << "canary-file\n";
  }
  std::string code;
  on_control([&] { code = auth_->make_setup_code(); });
  const Reply signed_in = ask(
      "POST", "/api/v1/auth/setup",
      fmt::format(R"({{"code":"{}","username":"anna","password":"canary-password"}})", code), "");
  ASSERT_EQ(signed_in.status, 201);
  const std::string set_cookie = signed_in.header("Set-Cookie");
  const auto equals = set_cookie.find('=');
  const std::string session = set_cookie.substr(equals + 1, set_cookie.find(';') - equals - 1);
  const std::string connection = make(
      "connections", R"({"name":"a","type":"counter","settings":{"host":"https://u:canary-url@h"},
                              "description":"see https://me:canary-info@h/?token=canary-query",
                              "secrets":{"password":"canary-1"}})");
  ask("PATCH", connection, R"({"secrets":{"password":"canary-2 \"quoted\""}})",
      bearer() + "If-Match: *\r\n");
  make("connections", R"({"name":"b","type":"counter","settings":{"host":"h"},
                          "secrets":{"password":"env:TRIBUTARY_TEST_SECRET"}})");
  make("connections", fmt::format(R"({{"name":"c","type":"counter","settings":{{"host":"h"}},
                        "secrets":{{"password":"file:{}/secret.txt"}}}})",
                                  folder_));
  make("pipelines", R"({"name":"hook","nodes":[{"id":"t1","type":"trigger.webhook",
       "settings":{"path":"orders","authentication":{"type":"hmac","header":"X-Signature"},"secret":"canary-hook"}},
       {"id":"n1","type":"set","settings":{"fields":{"apiKey":"canary-field"}}}],
       "edges":[{"from":"t1","to":"n1"}]})");
  make("notices", R"({"name":"n","url":"https://notices.invalid/canary-path",
                      "secrets":{"secret":"canary-sign","authorization":"Bearer canary-bearer"}})");
  ask("POST", "/api/v1/connections", R"({"name":"x","secrets":{"password":"canary-refused"}})");
  items_when("audit", 8);
  log::warning("api", "It said: login with canary-2 \"quoted\" refused.",
               {{"header", "Authorization: Bearer canary-header"},
                {"quoted", R"({"a":"canary-2 \"quoted\""})"},
                {"other", "canary-env canary-file canary-hook canary-sign"},
                {"token", token_}});
  const Reply reply = ask("GET", "/api/v1/system/diagnostics");
  ASSERT_EQ(reply.status, 200);
  const auto files = unpack(reply.body);
  ASSERT_EQ(files.size(), 11U);
  const std::string key = [&] {
    std::ifstream file(folder_ + "/master.key", std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  }();
  ASSERT_EQ(key.size(), 32U);
  for (const auto& [name, text] : files) {
    EXPECT_EQ(text.find("canary"), std::string::npos)
        << name << ": "
        << text.substr(text.find("canary") < 60 ? 0 : text.find("canary") - 60, 120);
    EXPECT_EQ(text.find(token_), std::string::npos) << name;
    EXPECT_EQ(text.find(session), std::string::npos) << name;
    EXPECT_EQ(text.find(code), std::string::npos) << name;
    EXPECT_EQ(text.find(key), std::string::npos) << name;
    EXPECT_EQ(text.find("$argon2"), std::string::npos) << name;
  }
}

TEST(Archive, OtherProgramsReadIt) {
  const std::string folder = [] {
    std::string pattern = (fs::temp_directory_path() / "tributary-archive-XXXXXX").string();
    return std::string(::mkdtemp(pattern.data()));
  }();
  std::string long_text;
  for (int i = 0; i < 100'000; ++i) long_text += std::to_string(i * 7919 % 10'007);
  {
    std::ofstream file(folder + "/a.tar.gz", std::ios::binary);
    file << make_tar_gz({{"empty.txt", ""}, {"long.txt", long_text}},
                        UtcTime{std::chrono::seconds{1'700'000'000}});
  }
  const std::string command = "tar -xzf " + folder + "/a.tar.gz -C " + folder;
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream file(folder + "/long.txt");
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>(file), {}}), long_text);
  EXPECT_EQ(fs::file_size(folder + "/empty.txt"), 0U);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tributary::api
