// What pipelines are measured against and with: a producer and a counter for MQTT, a relay that is
// nothing but libmosquitto, and inserts that are nothing but libpq. See bench/pipelines.py.
//
//   pipeline_peers produce PORT TOPIC COUNT      publishes COUNT messages with QoS 1, a window open
//   pipeline_peers count PORT TOPIC COUNT        prints "ready", then the seconds from first to
//   last pipeline_peers relay PORT IN OUT             QoS 1 in, QoS 0 out, the payload untouched
//   pipeline_peers insert CONNINFO TABLE COUNT BATCH    multi-row INSERT, a transaction each
//   pipeline_peers copy CONNINFO TABLE COUNT BATCH      COPY, a transaction each
//   pipeline_peers sink PORT IN CONNINFO TABLE COUNT BATCH    QoS 1 in, what is in the messages
//                                                  inserted; prints "ready", then the seconds from
//                                                  the first message to the last commit
#include <fmt/format.h>
#include <libpq-fe.h>
#include <mosquitto.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWindow = 500;
constexpr int kKeepAliveSeconds = 60;

[[noreturn]] void die(const std::string& text) {
  fmt::print(stderr, "{}\n", text);
  std::exit(1);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string payload_of(long number) {
  return fmt::format(
      R"({{"n":{},"speed":{},"temperature":{:.1f},"running":{},"line":"filler {}"}})", number,
      1400 + number % 200, 20.0 + static_cast<double>(number % 600) / 10, number % 7 != 0,
      number % 4);
}

struct Counters {
  long wanted = 0;
  long seen = 0;
  long acknowledged = 0;
  long sent = 0;
  Clock::time_point first;
  std::string topic;
  std::string out;
};

using Client = std::unique_ptr<mosquitto, decltype(&mosquitto_destroy)>;

Client connect(int port, Counters& counters) {
  Client client(mosquitto_new(nullptr, true, &counters), &mosquitto_destroy);
  mosquitto_int_option(client.get(), MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client.get(), MOSQ_OPT_SEND_MAXIMUM, 65535);
  mosquitto_int_option(client.get(), MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
  if (mosquitto_connect(client.get(), "127.0.0.1", port, kKeepAliveSeconds) != MOSQ_ERR_SUCCESS)
    die("no broker");
  return client;
}

void produce(int port, const std::string& topic, long count) {
  Counters counters;
  Client client = connect(port, counters);
  mosquitto_publish_callback_set(client.get(), [](mosquitto*, void* user, int) {
    ++static_cast<Counters*>(user)->acknowledged;
  });
  while (counters.acknowledged < count) {
    while (counters.sent < count && counters.sent - counters.acknowledged < kWindow) {
      const std::string payload = payload_of(counters.sent++);
      mosquitto_publish(client.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()),
                        payload.data(), 1, false);
    }
    if (mosquitto_loop(client.get(), 100, 1) != MOSQ_ERR_SUCCESS) die("the broker went away");
  }
}

void count(int port, const std::string& topic, long wanted) {
  Counters counters;
  counters.wanted = wanted;
  counters.topic = topic;
  Client client = connect(port, counters);
  mosquitto_subscribe_callback_set(client.get(), [](mosquitto*, void*, int, int, const int*) {
    fmt::print("ready\n");
    std::fflush(stdout);
  });
  mosquitto_message_callback_set(client.get(),
                                 [](mosquitto*, void* user, const mosquitto_message*) {
                                   auto& counted = *static_cast<Counters*>(user);
                                   if (counted.seen++ == 0) counted.first = Clock::now();
                                 });
  mosquitto_subscribe(client.get(), nullptr, topic.c_str(), 0);
  while (counters.seen < wanted) {
    if (mosquitto_loop(client.get(), 100, 1) != MOSQ_ERR_SUCCESS) die("the broker went away");
  }
  fmt::print("{:.6f}\n", seconds_since(counters.first));
}

void relay(int port, const std::string& in, const std::string& out) {
  Counters counters;
  counters.out = out;
  Client client = connect(port, counters);
  mosquitto_message_callback_set(
      client.get(), [](mosquitto* self, void* user, const mosquitto_message* message) {
        mosquitto_publish(self, nullptr, static_cast<Counters*>(user)->out.c_str(),
                          message->payloadlen, message->payload, 0, false);
      });
  mosquitto_subscribe_callback_set(client.get(), [](mosquitto*, void*, int, int, const int*) {
    fmt::print("ready\n");
    std::fflush(stdout);
  });
  mosquitto_subscribe(client.get(), nullptr, in.c_str(), 1);
  while (mosquitto_loop(client.get(), 1000, 1) == MOSQ_ERR_SUCCESS) {
  }
}

void check(PGconn* sql, PGresult* result, ExecStatusType wanted) {
  const bool good = PQresultStatus(result) == wanted;
  PQclear(result);
  if (!good) die(PQerrorMessage(sql));
}

std::string row_text(long number, std::string_view separator, std::string_view quote) {
  return fmt::format("{1}{0}{2}{0}{3:.1f}{0}{4}{0}{5}filler {6}{5}", separator, number,
                     1400 + number % 200, 20.0 + static_cast<double>(number % 600) / 10,
                     number % 7 != 0, quote, number % 4);
}

void insert_rows(const std::string& conninfo, const std::string& table, long count, long batch,
                 bool copy) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> sql(PQconnectdb(conninfo.c_str()), &PQfinish);
  if (PQstatus(sql.get()) != CONNECTION_OK) die(PQerrorMessage(sql.get()));
  const std::string columns = "(n, speed, temperature, running, line)";
  const Clock::time_point begin = Clock::now();
  for (long from = 0; from < count; from += batch) {
    const long until = std::min(count, from + batch);
    std::string text;
    if (copy) {
      check(sql.get(), PQexec(sql.get(), ("copy " + table + columns + " from stdin").c_str()),
            PGRES_COPY_IN);
      for (long i = from; i < until; ++i) text += row_text(i, "\t", "") + "\n";
      PQputCopyData(sql.get(), text.data(), static_cast<int>(text.size()));
      PQputCopyEnd(sql.get(), nullptr);
      check(sql.get(), PQgetResult(sql.get()), PGRES_COMMAND_OK);
      while (PGresult* rest = PQgetResult(sql.get())) PQclear(rest);
    } else {
      text = "insert into " + table + columns + " values ";
      for (long i = from; i < until; ++i)
        text += (i == from ? "(" : ",(") + row_text(i, ",", "'") + ")";
      check(sql.get(), PQexec(sql.get(), text.c_str()), PGRES_COMMAND_OK);
    }
  }
  fmt::print("{:.6f}\n", seconds_since(begin));
}

// What produce() sends, taken apart again.
std::string row_of(const std::string& payload) {
  long number = 0;
  long speed = 0;
  double temperature = 0;
  std::array<char, 8> running{};
  std::array<char, 64> line{};
  const int fields =
      std::sscanf(payload.c_str(),
                  R"({"n":%ld,"speed":%ld,"temperature":%lf,"running":%7[a-z],"line":"%63[^"]"})",
                  &number, &speed, &temperature, running.data(), line.data());
  if (fields != 5) die("not a message of produce: " + payload);
  return fmt::format("({},{},{:.1f},{},'{}')", number, speed, temperature, running.data(),
                     line.data());
}

struct Rows {
  Counters counters;
  PGconn* sql = nullptr;
  std::string insert;
  std::string text;
  long batch = 0;
  long in_text = 0;

  void flush() {
    if (in_text == 0) return;
    check(sql, PQexec(sql, (insert + text).c_str()), PGRES_COMMAND_OK);
    text.clear();
    in_text = 0;
  }
  void add(const std::string& payload) {
    if (counters.seen++ == 0) counters.first = Clock::now();
    text += (in_text++ == 0 ? "" : ",") + row_of(payload);
    if (in_text == batch) flush();
  }
};

void sink(int port, const std::string& in, const std::string& conninfo, const std::string& table,
          long count, long batch) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> sql(PQconnectdb(conninfo.c_str()), &PQfinish);
  if (PQstatus(sql.get()) != CONNECTION_OK) die(PQerrorMessage(sql.get()));
  Rows rows;
  rows.sql = sql.get();
  rows.insert = "insert into " + table + "(n, speed, temperature, running, line) values ";
  rows.batch = batch;
  Client client = connect(port, rows.counters);
  mosquitto_user_data_set(client.get(), &rows);
  mosquitto_message_callback_set(
      client.get(), [](mosquitto*, void* user, const mosquitto_message* message) {
        static_cast<Rows*>(user)->add(std::string(static_cast<const char*>(message->payload),
                                                  static_cast<std::size_t>(message->payloadlen)));
      });
  mosquitto_subscribe_callback_set(client.get(), [](mosquitto*, void*, int, int, const int*) {
    fmt::print("ready\n");
    std::fflush(stdout);
  });
  mosquitto_subscribe(client.get(), nullptr, in.c_str(), 1);
  while (rows.counters.seen < count) {
    if (mosquitto_loop(client.get(), 1000, 1) != MOSQ_ERR_SUCCESS) die("the broker went away");
  }
  rows.flush();
  fmt::print("{:.6f}\n", seconds_since(rows.counters.first));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 4) die("see the head of bench/pipeline_peers.cpp");
  mosquitto_lib_init();
  const std::string& what = words[0];
  if (what == "produce") produce(std::stoi(words[1]), words[2], std::stol(words[3]));
  if (what == "count") count(std::stoi(words[1]), words[2], std::stol(words[3]));
  if (what == "relay") relay(std::stoi(words[1]), words[2], words[3]);
  if (what == "insert" || what == "copy")
    insert_rows(words[1], words[2], std::stol(words[3]), std::stol(words.at(4)), what == "copy");
  if (what == "sink")
    sink(std::stoi(words[1]), words[2], words[3], words.at(4), std::stol(words.at(5)),
         std::stol(words.at(6)));
  mosquitto_lib_cleanup();
  return 0;
}
