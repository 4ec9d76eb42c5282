/* A Modbus TCP server on libmodbus. Prints "port N" and serves one client after another until it is stopped.
 * Holding registers 0 to 999 hold their own address; coils 0 to 99 are off; beyond that there is nothing. */
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  modbus_t* context = modbus_new_tcp("127.0.0.1", 0);
  modbus_mapping_t* map = modbus_mapping_new(100, 100, 1000, 1000);
  if (context == NULL || map == NULL) return 1;
  for (int i = 0; i < 1000; ++i) map->tab_registers[i] = map->tab_input_registers[i] = (uint16_t)i;
  int listener = modbus_tcp_listen(context, 4);
  if (listener < 0) return 1;
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  if (getsockname(listener, (struct sockaddr*)&address, &size) != 0) return 1;
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  while (modbus_tcp_accept(context, &listener) >= 0) {
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
      int length = modbus_receive(context, query);
      if (length < 0) break;
      if (length > 0) modbus_reply(context, query, length, map);
    }
    close(modbus_get_socket(context));
  }
  return 0;
}
