// A peer for the tests: snap7's own server with some memory in it. Prints "port N" when it listens,
// and runs until it is ended.
#include <snap7.h>

#include <arpa/inet.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

unsigned char g_db1[4096];
unsigned char g_db2[64];
unsigned char g_merkers[256];
unsigned char g_inputs[64];
unsigned char g_outputs[64];
unsigned char g_timers[64];
unsigned char g_counters[64];

// A port that nobody has now.
unsigned short free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(probe, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  close(probe);
  return ntohs(address.sin_port);
}

// Connections that are not closed from here (ESTABLISHED, CLOSE_WAIT). snap7's own count goes down
// only some time after it has closed.
int held_once() {
  constexpr int kDescriptors = 256;
  int count = 0;
  for (int fd = 3; fd < kDescriptors; ++fd) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
        (info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT))
      ++count;
  }
  return count;
}
// Looked at three times: a connection that ended while the others were counted is none.
int held() {
  return std::min({held_once(), held_once(), held_once()});
}

void fill() {
  // Each word of DB1 holds its own number; the merkers hold their own address.
  for (unsigned i = 0; i + 1 < sizeof g_db1; i += 2) {
    g_db1[i] = static_cast<unsigned char>(i / 2 >> 8);
    g_db1[i + 1] = static_cast<unsigned char>(i / 2);
  }
  for (unsigned i = 0; i < sizeof g_merkers; ++i) g_merkers[i] = static_cast<unsigned char>(i);
  // This server looks for timer or counter n at byte n / 2, its client too: T4 and C12.
  const unsigned char timer[] = {0x21, 0x23};    // 123 s
  const unsigned char counter[] = {0x04, 0x56};  // 456
  std::memcpy(g_timers + 2, timer, 2);
  std::memcpy(g_counters + 6, counter, 2);
}

}  // namespace

int main() {
  fill();
  const S7Object server = Srv_Create();
  unsigned short port = free_port();
  Srv_SetParam(server, p_u16_LocalPort, &port);
  Srv_RegisterArea(server, srvAreaDB, 1, g_db1, sizeof g_db1);
  Srv_RegisterArea(server, srvAreaDB, 2, g_db2, sizeof g_db2);
  Srv_RegisterArea(server, srvAreaMK, 0, g_merkers, sizeof g_merkers);
  Srv_RegisterArea(server, srvAreaPE, 0, g_inputs, sizeof g_inputs);
  Srv_RegisterArea(server, srvAreaPA, 0, g_outputs, sizeof g_outputs);
  Srv_RegisterArea(server, srvAreaTM, 0, g_timers, sizeof g_timers);
  Srv_RegisterArea(server, srvAreaCT, 0, g_counters, sizeof g_counters);
  if (Srv_StartTo(server, "127.0.0.1") != 0) return 1;
  Srv_SetCpuStatus(server, S7CpuStatusRun);

  std::printf("port %u\n", port);
  std::fflush(stdout);
  // DB2.DBW2: how many connections it held at most.
  int most = 0;
  while (true) {
    most = std::max(most, held());
    g_db2[3] = static_cast<unsigned char>(most);
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}
