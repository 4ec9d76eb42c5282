// What the world outside the hub knows, and what it holds against the hub: rows on the disk,
// packets on the wire, armed timers, answers of the API, values that were shown.
#pragma once

#include <map>
#include <set>

#include "connect/manager.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/oracle.hpp"
#include "tests/simulation/trace.hpp"

namespace tributary::simulation {

// A subscription whose values somebody watches.
struct Watched {
  bool polled = false;
  bool nowhere = false;  // of an address that the peer does not have
  Duration interval{};
  std::map<std::uint32_t, Quality> shown;  // by point
  std::int64_t session = 0;                // of the last good value
  SteadyTime good_at;                      // when the last good value was shown
  connect::Registration registration;
};

// One connection, as the world sees it.
struct Subject {
  Subject(std::string id_, std::string name_, Patience patience)
      : id(std::move(id_)), name(std::move(name_)), oracle(patience) {}

  std::string id;
  std::string name;
  Peer* peer = nullptr;
  bool shares_target = false;
  bool gone = false;      // deletion was acknowledged
  bool deleting = false;  // deletion was asked for
  std::int64_t version = 1;

  // On the disk.
  Oracle oracle;
  std::vector<Row> rows;
  std::size_t shown_rows = 0;  // rows that news told of
  bool behind = false;         // the disk failed: rows may be missing until the next one is stored

  // Told by the API.
  std::optional<connect::StateView> view;
  std::optional<SteadyTime> half_open_since;

  // On the wire.
  int sockets = 0;
  int dials = 0;
  bool silent = false;  // stop or suspend was acknowledged and nothing asked for more
  std::int64_t session = 0;
  SteadyTime logged_in_at;
  int goodbyes = 0;
  int packets = 0;
  int reads = 0;

  // Asked for.
  int commands = 0;                // under way
  std::uint64_t last_command = 0;  // number
  int calls = 0;                   // under way
  std::uint64_t asked_to_talk = 0;
  std::optional<std::string> intent;  // known when no command overlapped with another
  std::string password;
  std::map<std::string, int> denials;  // by password, of this life of the hub
  std::map<std::string, int> pardons;  // tries that people asked for
  std::map<std::string, SteadyTime> last_denial;

  std::map<std::string, Watched> functions;  // subscriptions, by id
  std::string read_function;
  std::string write_function;
};

struct Write {
  enum class End : std::uint8_t { kOpen, kDone, kNotDone, kUnknown };
  End end = End::kOpen;
  int executed = 0;
};

class Ledger final : public Witness, public WireWitness {
 public:
  Ledger(const Timeline& time, Trace& trace) : time_(time), trace_(trace) {}

  Subject& add(std::string id, std::string name, Patience patience);
  std::map<std::string, std::unique_ptr<Subject>>& subjects() { return subjects_; }
  Subject* find(const std::string& id);
  // Asked about connections that are not known yet: they may have been created a moment ago.
  void on_unknown(std::function<Subject*(const std::string& id)> look) { look_ = std::move(look); }

  // ---- the disk ----
  void stored(const Row& row);
  // The disk took too long, or failed: decisions may be shown before they are stored.
  void disk_is_behind();
  bool behind() const { return disk_behind_; }
  void disk_has_caught_up() { disk_behind_ = false; }

  // ---- news ----
  void news(const connect::StateChange& change);
  void shown(Subject& subject, Watched& watched, const Batch& batch);

  // ---- what people asked for ----
  void asks_to_talk(Subject& subject);
  std::int64_t new_write();
  void write_ended(std::int64_t token, const Result<Batch>& result);

  // ---- lives of the hub ----
  void hub_died();
  // Nothing is under way inside the hub: what must hold between two events.
  void check_quiet(const Network& network, const HubTimers& timers);
  void check_at_the_end();

  // Witness: what reaches the peers.
  void logged_in(const std::string& owner, std::int64_t session) override;
  void denied(const std::string& owner, const std::string& password) override;
  void written(std::int64_t token) override;
  void read(const std::string& owner) override;
  void goodbye(const std::string& owner) override;
  // WireWitness
  void packet(const std::string& owner, std::string_view what) override;
  void dialling(const std::string& owner, int change) override;
  void sockets(const std::string& owner, int change) override;

 private:
  void check_rest(Subject& subject, std::optional<std::size_t> timers);
  void check_active(Subject& subject, std::optional<std::size_t> timers);
  void check_half_open(Subject& subject);
  void check_values(Subject& subject);
  void check_one_at_a_time(const Subject& subject);

  const Timeline& time_;
  Trace& trace_;
  std::map<std::string, std::unique_ptr<Subject>> subjects_;
  std::map<std::int64_t, Write> writes_;
  std::int64_t last_token_ = 0;
  bool disk_behind_ = false;
  std::function<Subject*(const std::string& id)> look_;
};

}  // namespace tributary::simulation
