// A system on the other side, as the world wants it: fair, gone, mute, slow, wrong … It counts what
// reaches it. The protocol is one line a message:
//   HELLO            > HI | BUSY <ms> | STANDBY | TRUST | CONFIG
//   LOGIN <password> > OK | DENIED
//   <n> PING | READ <address> | WRITE <token> | SUB <topic>  >  <n> PONG | V <ms> <session> | DONE
//   | SUBSCRIBED | NAK BYE
// and by itself: DATA <topic> <ms> <session>, TAKEOVER.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "runtime/event.hpp"
#include "tests/simulation/timeline.hpp"

namespace tributary::simulation {

enum class Weather : std::uint8_t {
  kFair,
  kRefuse,      // nobody listens; sessions are reset
  kDrop,        // packets vanish: dials hang, sessions are half open
  kMute,        // accepts, never answers
  kSlow,        // answers late
  kCut,         // every session breaks after so many bytes
  kAcceptDrop,  // accepts, then resets at once
  kDenied,      // wrong credential
  kBusy,        // come back later
  kTakeover,    // another client takes the session, again and again
  kStandby,     // not the active one
  kTrust,       // a certificate that will not do
  kConfiguration,
  kNoName,      // the name is unknown
  kNameServer,  // the name server does not answer
  kMoved,       // the name leads to another address; the old one is gone
  kHalfOpen,    // sessions are dead without a word, new ones are fine
};
inline constexpr int kWeathers = static_cast<int>(Weather::kHalfOpen) + 1;
std::string_view to_string(Weather weather);

class Peer;

// One TCP connection between the hub and a peer.
struct Link {
  std::string owner;  // the connection's id
  Peer* peer = nullptr;
  // The hub's side.
  bool open = true;
  std::string inbound;
  bool ended = false;  // FIN arrived
  bool reset = false;
  std::shared_ptr<Event> readable;
  // The peer's side.
  bool accepted = true;
  std::string received;
  bool logged_in = false;
  std::int64_t session = 0;
  std::set<std::string> topics;
  // The wire.
  bool black_hole = false;
  std::size_t bytes_left = SIZE_MAX;  // then it breaks
  SteadyTime to_peer;                 // when the last thing sent arrives
  SteadyTime to_hub;

  void wake() {
    if (readable) std::exchange(readable, nullptr)->set();
  }
  void break_down() {
    accepted = false;
    if (black_hole) return;
    reset = true;
    wake();
  }
};

// What the outside may learn of what reaches the peers.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void logged_in(const std::string& owner, std::int64_t session) = 0;
  virtual void denied(const std::string& owner, const std::string& password) = 0;
  virtual void written(std::int64_t token) = 0;
  virtual void read(const std::string& owner) = 0;
  virtual void goodbye(const std::string& owner) = 0;
};

class Peer {
 public:
  Peer(std::string host, Timeline& time, Random& chance, Witness& witness)
      : host_(std::move(host)), time_(time), chance_(chance), witness_(witness) {}

  const std::string& host() const { return host_; }
  Weather weather() const { return weather_; }
  // Since when it has been fair; never while it is not.
  SteadyTime fair_since() const { return fair_since_; }
  // `severity` gives the bytes of kCut and the milliseconds of kSlow and kBusy.
  void set_weather(Weather weather, std::uint64_t severity);
  // Answers come in pieces of a few bytes.
  void set_pieces(bool pieces) { pieces_ = pieces; }
  int address() const { return address_; }
  std::uint64_t severity() const { return severity_; }
  Duration latency();

  void accept(const std::shared_ptr<Link>& link);
  // From the wire.
  void receive(const std::shared_ptr<Link>& link, std::string_view bytes);
  void leave(const std::shared_ptr<Link>& link);
  // To all who subscribed.
  void push();
  // Whether a session of this connection is alive.
  bool serves(const std::string& owner) const;

 private:
  void answer(const std::shared_ptr<Link>& link, std::string_view line);
  void serve(const std::shared_ptr<Link>& link, std::string_view number, std::string_view request);
  void login(const std::shared_ptr<Link>& link, const std::string& password);
  void send(const std::shared_ptr<Link>& link, std::string text);
  std::string value(const Link& link) const;

  std::string host_;
  Timeline& time_;
  Random& chance_;
  Witness& witness_;
  Weather weather_ = Weather::kFair;
  SteadyTime fair_since_;
  std::uint64_t severity_ = 0;
  bool pieces_ = false;
  int address_ = 1;
  std::int64_t sessions_ = 0;
  std::vector<std::shared_ptr<Link>> links_;
};

// Milliseconds of virtual time: what a peer's value says.
inline std::int64_t stamp(SteadyTime time) {
  return time.time_since_epoch() / std::chrono::milliseconds{1};
}

}  // namespace tributary::simulation
