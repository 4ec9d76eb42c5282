#include "tests/simulation/peer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tributary::simulation {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

std::pair<std::string_view, std::string_view> split(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return {text, {}};
  return {text.substr(0, space), text.substr(space + 1)};
}

}  // namespace

std::string_view to_string(Weather weather) {
  switch (weather) {
    case Weather::kFair:
      return "fair";
    case Weather::kRefuse:
      return "refuse";
    case Weather::kDrop:
      return "drop";
    case Weather::kMute:
      return "mute";
    case Weather::kSlow:
      return "slow";
    case Weather::kCut:
      return "cut";
    case Weather::kAcceptDrop:
      return "accept-drop";
    case Weather::kDenied:
      return "denied";
    case Weather::kBusy:
      return "busy";
    case Weather::kTakeover:
      return "takeover";
    case Weather::kStandby:
      return "standby";
    case Weather::kTrust:
      return "trust";
    case Weather::kConfiguration:
      return "configuration";
    case Weather::kNoName:
      return "no-name";
    case Weather::kNameServer:
      return "name-server";
    case Weather::kMoved:
      return "moved";
    case Weather::kHalfOpen:
      return "half-open";
  }
  return "fair";
}

Duration Peer::latency() {
  Duration latency = microseconds{200 + chance_.next() % 3000};
  if (weather_ == Weather::kSlow) latency += milliseconds{severity_ % 1500};
  return latency;
}

void Peer::set_weather(Weather weather, std::uint64_t severity) {
  if (weather != Weather::kFair) {
    fair_since_ = SteadyTime::max();
  } else if (weather_ != Weather::kFair) {
    fair_since_ = time_.now();
  }
  weather_ = weather;
  severity_ = severity;
  if (weather == Weather::kMoved) ++address_;
  const auto links = links_;
  for (const auto& link : links) {
    switch (weather) {
      case Weather::kRefuse:
        link->break_down();
        break;
      case Weather::kDrop:
      case Weather::kMoved:
      case Weather::kHalfOpen:
      case Weather::kMute:
        link->black_hole = true;
        break;
      case Weather::kCut:
        link->bytes_left = severity % 200;
        break;
      case Weather::kFair:
        link->bytes_left = SIZE_MAX;
        break;
      case Weather::kTakeover:
        send(link, "TAKEOVER\n");
        break;
      default:
        break;
    }
  }
}

void Peer::accept(const std::shared_ptr<Link>& link) {
  std::erase_if(links_, [](const auto& each) { return !each->accepted || !each->open; });
  links_.push_back(link);
  if (weather_ == Weather::kCut) link->bytes_left = severity_ % 200;
  if (weather_ == Weather::kMute) link->black_hole = true;
  if (weather_ == Weather::kAcceptDrop) link->break_down();
}

void Peer::leave(const std::shared_ptr<Link>& link) {
  link->accepted = false;
  std::erase(links_, link);
}

void Peer::receive(const std::shared_ptr<Link>& link, std::string_view bytes) {
  if (!link->accepted || link->black_hole) return;
  const std::size_t passed = std::min(bytes.size(), link->bytes_left);
  if (link->bytes_left != SIZE_MAX) link->bytes_left -= passed;
  link->received += bytes.substr(0, passed);
  for (auto end = link->received.find('\n'); end != std::string::npos && link->accepted;
       end = link->received.find('\n')) {
    const std::string line = link->received.substr(0, end);
    link->received.erase(0, end + 1);
    answer(link, line);
  }
  if (passed < bytes.size()) link->break_down();
}

void Peer::answer(const std::shared_ptr<Link>& link, std::string_view line) {
  const auto [word, rest] = split(line);
  if (word == "HELLO") {
    if (weather_ == Weather::kBusy) {
      send(link, fmt::format("BUSY {}\n", severity_ % 5000));
    } else if (weather_ == Weather::kStandby) {
      send(link, "STANDBY\n");
    } else if (weather_ == Weather::kTrust) {
      send(link, "TRUST\n");
    } else if (weather_ == Weather::kConfiguration) {
      send(link, "CONFIG\n");
    } else {
      send(link, "HI\n");
    }
  } else if (word == "LOGIN") {
    login(link, std::string(rest));
  } else if (word == "BYE") {
    witness_.goodbye(link->owner);
    leave(link);
  } else if (link->logged_in) {
    serve(link, word, rest);
  }
}

void Peer::login(const std::shared_ptr<Link>& link, const std::string& password) {
  if (weather_ == Weather::kDenied) {
    witness_.denied(link->owner, password);
    send(link, "DENIED\n");
    return;
  }
  link->logged_in = true;
  link->session = ++sessions_;
  witness_.logged_in(link->owner, link->session);
  send(link, "OK\n");
  if (weather_ == Weather::kTakeover) {
    time_.after(milliseconds{severity_ % 3000}, [this, link] { send(link, "TAKEOVER\n"); });
  }
}

std::string Peer::value(const Link& link) const {
  return fmt::format("{} {}", stamp(time_.now()), link.session);
}

void Peer::serve(const std::shared_ptr<Link>& link, std::string_view number,
                 std::string_view request) {
  const auto [word, rest] = split(request);
  if (word == "PING") {
    send(link, fmt::format("{} PONG\n", number));
  } else if (word == "READ" && rest == "nowhere") {
    send(link, fmt::format("{} NAK\n", number));
  } else if (word == "READ") {
    witness_.read(link->owner);
    send(link, fmt::format("{} V {}\n", number, value(*link)));
  } else if (word == "WRITE") {
    witness_.written(std::stoll(std::string(rest)));
    send(link, fmt::format("{} DONE\n", number));
  } else if (word == "SUB" && rest == "nowhere") {
    send(link, fmt::format("{} NAK\n", number));
  } else if (word == "SUB") {
    link->topics.emplace(rest);
    send(link, fmt::format("{} SUBSCRIBED\n", number));
  } else if (word == "UNSUB") {
    link->topics.erase(std::string(rest));
    send(link, fmt::format("{} DONE\n", number));
  }
}

bool Peer::serves(const std::string& owner) const {
  return std::ranges::any_of(links_, [&](const auto& link) {
    return link->owner == owner && link->accepted && link->open && link->logged_in &&
           !link->black_hole;
  });
}

void Peer::push() {
  for (const auto& link : links_) {
    for (const auto& topic : link->topics)
      send(link, fmt::format("DATA {} {}\n", topic, value(*link)));
  }
}

void Peer::send(const std::shared_ptr<Link>& link, std::string text) {
  if (!link->accepted || link->black_hole) return;
  const bool breaks = text.size() > link->bytes_left;
  if (breaks) text.resize(link->bytes_left);
  if (link->bytes_left != SIZE_MAX) link->bytes_left -= text.size();
  while (!text.empty()) {
    const std::size_t count =
        pieces_ ? std::min<std::size_t>(text.size(), 1 + chance_.next() % 8) : text.size();
    link->to_hub = std::max(link->to_hub, time_.now() + latency());
    time_.at(link->to_hub, [link, piece = text.substr(0, count)] {
      if (!link->open || link->black_hole || link->reset) return;
      link->inbound += piece;
      link->wake();
    });
    text.erase(0, count);
  }
  if (!breaks) return;
  link->accepted = false;
  time_.at(std::max(link->to_hub, time_.now()), [link] { link->break_down(); });
}

}  // namespace tributary::simulation
