// The history of the simulated plant's variables, as a server lets clients read it (OPC 10000-11):
// recorded values, aggregates, values at times. open62541 brings a database of its own, which
// neither sorts nor has aggregates.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "connectors/opcua/simulator/recording.hpp"

struct UA_Server;
struct UA_ServerConfig;

namespace tributary::connectors::opcua::simulator {

class PlantHistory {
 public:
  PlantHistory() = default;
  PlantHistory(const PlantHistory&) = delete;
  PlantHistory& operator=(const PlantHistory&) = delete;

  // Before the server is made; this stays where it is as long as the server.
  void configure(UA_ServerConfig& config);
  // Says in the address space what can be read.
  static void add_nodes(UA_Server* server);
  // Whole numbers hold until the next one; between others is a straight line. Before the server
  // runs.
  void keep(UA_Server* server, const UA_NodeId& node, const UA_DataType& type);
  // Any thread. Nodes are those that are kept, by the text of their ids.
  void add(std::string_view node, UA_DateTime time, double value);

 private:
  // One node of a request, and what becomes of it.
  struct Wanted {
    const UA_HistoryReadValueId& node;
    UA_HistoryReadResult& result;
    UA_HistoryData& data;
    UA_TimestampsToReturn stamps;
  };
  struct Track {
    Recording recording;
    const UA_DataType* type = nullptr;
  };
  // Calls `read` for each node that is kept.
  template <typename Read>
  void answer(UA_HistoryReadResponse& response, std::span<const UA_HistoryReadValueId> nodes,
              UA_HistoryData* const* data, UA_TimestampsToReturn stamps, Read read);
  const Track* find(const UA_NodeId& node) const;
  static void read_raw(const Track& track, Wanted& wanted, const UA_ReadRawModifiedDetails& how);
  static void read_processed(const Track& track, Wanted& wanted, const UA_ReadProcessedDetails& how,
                             const UA_NodeId& aggregate);
  static void read_at_time(const Track& track, Wanted& wanted, const UA_ReadAtTimeDetails& how);

  std::mutex mutex_;
  std::map<std::string, Track, std::less<>> tracks_;
};

}  // namespace tributary::connectors::opcua::simulator
