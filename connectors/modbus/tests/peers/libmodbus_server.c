/* A Modbus server on libmodbus, until it is stopped. Prints "port N" and serves one client after another; with "rtu DEVICE"
 * it is slave 1 of a serial line instead and prints "port 0". Holding and input registers 0 to 999 hold their own address;
 * coils 0 to 99 are off; beyond that there is nothing. */
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(modbus_t* context, modbus_mapping_t* map) {
  uint8_t query[MODBUS_MAX_ADU_LENGTH];
  for (;;) {
    int length = modbus_receive(context, query);
    if (length < 0) return;
    if (length > 0) modbus_reply(context, query, length, map);
  }
}

static int serve_line(const char* device, modbus_mapping_t* map) {
  modbus_t* context = modbus_new_rtu(device, 19200, 'N', 8, 1);
  if (context == NULL || modbus_set_slave(context, 1) < 0 || modbus_connect(context) < 0) return 1;
  printf("port 0\n");
  fflush(stdout);
  for (;;) serve(context, map);
}

int main(int argc, char** argv) {
  modbus_mapping_t* map = modbus_mapping_new(100, 100, 1000, 1000);
  if (map == NULL) return 1;
  for (int i = 0; i < 1000; ++i) map->tab_registers[i] = map->tab_input_registers[i] = (uint16_t)i;
  if (argc == 3 && strcmp(argv[1], "rtu") == 0) return serve_line(argv[2], map);
  modbus_t* context = modbus_new_tcp("127.0.0.1", 0);
  if (context == NULL) return 1;
  int listener = modbus_tcp_listen(context, 4);
  if (listener < 0) return 1;
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  if (getsockname(listener, (struct sockaddr*)&address, &size) != 0) return 1;
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  while (modbus_tcp_accept(context, &listener) >= 0) {
    serve(context, map);
    close(modbus_get_socket(context));
  }
  return 0;
}
