"""A Modbus server that nobody of this project wrote: pymodbus. Prints "port N" and serves until it is stopped.

  pymodbus_server.py [tcp | rtuOverTcp | udp]
  pymodbus_server.py rtu | ascii DEVICE          a serial port; prints "port 0"

Units 1 and 7 hold one value of each type at 100 × (0 ABCD, 1 BADC, 2 CDAB, 3 DCBA), laid out as the table LAYOUT, in holding
and in input registers; coils and discrete inputs 0 to 99 are on where the address is divisible by three. Holding
registers 1000 to 1999 hold their own address. Beyond 2000 there is nothing.
"""
import asyncio
import struct
import sys

from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer, ModbusUdpServer
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer, ModbusSocketFramer

ORDERS = {"ABCD": (Endian.Big, Endian.Big), "BADC": (Endian.Little, Endian.Big),
          "CDAB": (Endian.Big, Endian.Little), "DCBA": (Endian.Little, Endian.Little)}
SIZE = 2000


def values_of(order):
    """Registers 0 to 23 of one byte order, as pymodbus lays them out."""
    byte_order, word_order = ORDERS[order]
    builder = BinaryPayloadBuilder(byteorder=byte_order, wordorder=word_order)
    builder.add_16bit_int(-12345)
    builder.add_16bit_uint(54321)
    builder.add_32bit_int(-123456789)
    builder.add_32bit_uint(3123456789)
    builder.add_64bit_int(-1234567890123456789)
    builder.add_64bit_uint(12345678901234567890)
    builder.add_32bit_float(21.5)
    builder.add_64bit_float(-1.0e100)
    payload = b"".join(builder.build())
    return list(struct.unpack(f">{len(payload) // 2}H", payload))


async def main():
    registers = [0] * SIZE
    for index, order in enumerate(ORDERS):
        values = values_of(order)
        registers[index * 100:index * 100 + len(values)] = values
    registers[1000:SIZE] = range(1000, SIZE)
    bits = [address % 3 == 0 for address in range(100)]
    slave = ModbusSlaveContext(
        co=ModbusSequentialDataBlock(0, list(bits)), di=ModbusSequentialDataBlock(0, list(bits)),
        hr=ModbusSequentialDataBlock(0, list(registers)), ir=ModbusSequentialDataBlock(0, list(registers)),
        zero_mode=True)
    context = ModbusServerContext(slaves={1: slave, 7: slave}, single=False)
    identity = ModbusDeviceIdentification(info_name={
        "VendorName": "Pymodbus", "ProductCode": "PM", "MajorMinorRevision": "3.0", "ProductName": "Test server"})
    await serve(sys.argv[1] if len(sys.argv) > 1 else "tcp", context, identity)


async def serve(transport, context, identity):
    if transport in ("rtu", "ascii"):
        framer = ModbusRtuFramer if transport == "rtu" else ModbusAsciiFramer
        server = ModbusSerialServer(context, framer=framer, identity=identity, port=sys.argv[2], baudrate=19200,
                                    parity="N", bytesize=8, stopbits=1)
        await server.start()
        print("port 0", flush=True)
        await server.serve_forever()
        return
    address = ("127.0.0.1", 0)
    if transport == "udp":
        server = ModbusUdpServer(context, framer=ModbusSocketFramer, identity=identity, address=address)
        serving = asyncio.ensure_future(server.serve_forever())
        await server.serving
        port = server.protocol.get_extra_info("sockname")[1]
    else:
        framer = ModbusRtuFramer if transport == "rtuOverTcp" else ModbusSocketFramer
        server = ModbusTcpServer(context, framer=framer, identity=identity, address=address)
        serving = asyncio.ensure_future(server.serve_forever())
        await server.serving
        port = server.server.sockets[0].getsockname()[1]
    print("port", port, flush=True)
    await serving


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
