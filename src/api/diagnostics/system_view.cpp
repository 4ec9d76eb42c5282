#include <sys/utsname.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "api/diagnostics/bundle.hpp"
#include "api/loop_lag.hpp"
#include "api/process.hpp"
#include "api/views.hpp"

namespace tributary::api {
namespace {

constexpr Duration kLagLimit{std::chrono::seconds{1}};

// PRETTY_NAME of os-release(5): what people call it.
std::string operating_system() {
  std::ifstream file("/etc/os-release");
  constexpr std::string_view kName = "PRETTY_NAME=";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kName)) continue;
    line.erase(0, kName.size());
    std::erase(line, '"');
    return line;
  }
  return "Linux";
}

Json build_view() {
  Json json = json_object();
  json["compiler"] = "GCC " __VERSION__;
#ifdef NDEBUG
  json["type"] = "release";
#else
  json["type"] = "debug";
#endif
  return json;
}

Json machine_view() {
  utsname names{};
  ::uname(&names);
  Json json = json_object();
  json["operatingSystem"] = operating_system();
  json["kernel"] = std::string(names.release);
  json["architecture"] = std::string(names.machine);
  json["processors"] = std::thread::hardware_concurrency();
  return json;
}

Json process_view() {
  Json json = json_object();
  json["residentBytes"] = resident_bytes();
  json["openDescriptors"] = open_descriptors();
  json["threads"] = thread_count();
  json["cpuSeconds"] = cpu_seconds();
  return json;
}

// The data directory by what the files are for. What goes while it is counted counts as nothing.
Json storage_view(const std::string& data_dir) {
  namespace fs = std::filesystem;
  std::int64_t store = 0;
  std::int64_t spool = 0;
  std::int64_t other = 0;
  std::error_code ignored;
  for (auto at = fs::recursive_directory_iterator(
           data_dir, fs::directory_options::skip_permission_denied, ignored);
       at != fs::recursive_directory_iterator(); at.increment(ignored)) {
    std::error_code gone;
    if (!at->is_regular_file(gone)) continue;
    const auto size = at->file_size(gone);
    if (gone) continue;
    const std::string name = at->path().filename();
    auto& sum = name.starts_with("tributary.db") ? store
                : name.starts_with("spool")      ? spool
                                                 : other;
    sum += static_cast<std::int64_t>(size);
  }
  const auto space = fs::space(data_dir, ignored);
  Json json = json_object();
  json["dataDirectory"] = data_dir;
  json["storeBytes"] = store;
  json["spoolBytes"] = spool;
  json["otherBytes"] = other;
  json["freeBytes"] = ignored ? Json::null() : Json(space.available);
  json["totalBytes"] = ignored ? Json::null() : Json(space.capacity);
  return json;
}

// What waits for destinations, of all pipelines.
Json spool_view(const Services& services) {
  spool::QueueStats sum;
  for (const auto& pipeline : services.engine.pipelines()) {
    for (const auto& node : pipeline.nodes) {
      if (!node.delivery) continue;
      const spool::QueueStats& queue = node.delivery->queue;
      sum.waiting += queue.waiting;
      sum.bytes += queue.bytes;
      sum.dead_letters += queue.dead_letters;
      sum.lost += queue.lost;
      if (queue.oldest_at && (!sum.oldest_at || *queue.oldest_at < *sum.oldest_at))
        sum.oldest_at = queue.oldest_at;
    }
  }
  Json json = json_object();
  json["records"] = sum.waiting;
  json["bytes"] = sum.bytes;
  json["oldestAt"] = time_or_null(sum.oldest_at);
  json["deadLetters"] = sum.dead_letters;
  json["lost"] = sum.lost;
  return json;
}

Json loops_view(const std::vector<LoopLag>& loops) {
  Json list = json_array();
  for (const LoopLag& loop : loops) {
    Json item = json_object();
    item["name"] = loop.name;
    item["lagMs"] = loop.lag ? Json(to_seconds(*loop.lag) * 1000) : Json::null();
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace

Task<Json> system_view(Services& services) {
  const std::vector<LoopLag> loops = co_await measure_loop_lag(services.runtime, kLagLimit);
  Json json = json_object();
  json["version"] = services.version;
  json["apiVersion"] = "v1";
  json["build"] = build_view();
  json["startedAt"] = format_utc(services.started_at);
  json["uptimeSeconds"] = to_seconds(services.runtime.clock().steady_now() - services.started);
  json["bootId"] = services.store.boot_id();
  json["uncleanStart"] = services.store.was_unclean();
  Json connectors = json_array();
  for (const auto& entry : services.manager.registry().entries())
    connectors.push_back(entry->manifest.type);
  json["connectors"] = std::move(connectors);
  json["connections"] = services.manager.connections().size();
  json["pipelines"] = services.engine.pipelines().size();
  json["machine"] = machine_view();
  json["process"] = process_view();
  json["storage"] = storage_view(services.store.data_dir());
  json["spool"] = spool_view(services);
  json["eventLoops"] = loops_view(loops);
  co_return json;
}

}  // namespace tributary::api
