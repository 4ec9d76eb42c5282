// A peer for the tests: snap7's own client, asking the server at the port it is given. Prints what
// it saw as one line of JSON after "seen ".
#include <snap7.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const S7Object client = Cli_Create();
  unsigned short port = static_cast<unsigned short>(std::atoi(argv[1]));
  Cli_SetParam(client, p_u16_RemotePort, &port);
  if (const int error = Cli_ConnectTo(client, "127.0.0.1", 0, 1); error != 0) {
    std::printf("failed: connect %x\n", static_cast<unsigned>(error));
    return 1;
  }
  unsigned char speed[4] = {};
  unsigned char running = 0;
  TS7DataItem items[2] = {};
  items[0] = {S7AreaDB, S7WLByte, 0, 1, 0, 4, speed};
  items[1] = {S7AreaDB, S7WLBit, 0, 1, 0, 1, &running};
  const int single = Cli_DBRead(client, 1, 0, 4, speed);
  const int multi = Cli_ReadMultiVars(client, items, 2);
  unsigned char word[2] = {0x03, 0x09};
  const int wrote = Cli_DBWrite(client, 1, 2, 2, word);
  unsigned char back[2] = {};
  const int read = Cli_DBRead(client, 1, 2, 2, back);
  unsigned char none[2] = {};
  const int missing = Cli_DBRead(client, 999, 0, 2, none);
  TS7OrderCode order = {};
  const int ordered = Cli_GetOrderCode(client, &order);
  TS7BlocksList blocks = {};
  const int listed = Cli_ListBlocks(client, &blocks);
  int state = 0;
  const int stated = Cli_GetPlcStatus(client, &state);
  tm clock = {};
  const int timed = Cli_GetPlcDateTime(client, &clock);
  std::printf(
      "seen {\"single\": %d, \"multi\": %d, \"items\": [%d, %d], \"first\": %d, \"wrote\": %d, "
      "\"read\": %d, "
      "\"back\": %d, \"missing\": %d, \"ordered\": %d, \"order\": \"%s\", \"version\": "
      "\"%d.%d.%d\", \"listed\": %d, "
      "\"dbs\": %d, \"stated\": %d, \"state\": %d, \"timed\": %d, \"year\": %d}\n",
      single, multi, items[0].Result, items[1].Result, speed[0] * 256 + speed[1], wrote, read,
      back[0] * 256 + back[1], missing != 0, ordered, order.Code, order.V1, order.V2, order.V3,
      listed, blocks.DBCount, stated, state, timed, clock.tm_year + 1900);
  Cli_Disconnect(client);
  return 0;
}
