"""Reads a Modbus TCP server with pymodbus and prints what it sees as one line of JSON.

  pymodbus_client.py PORT types ORDER ADDRESS   one value of each type from holding register ADDRESS on
  pymodbus_client.py PORT plant                 the simulated plant
"""
import json
import sys

from pymodbus.client import ModbusTcpClient
from pymodbus.constants import Endian
from pymodbus.payload import BinaryPayloadDecoder

from pymodbus_server import ORDERS


def holding(client, address, count):
    answer = client.read_holding_registers(address, count, slave=1)
    if answer.isError():
        sys.exit(f"holding registers {address}+{count}: {answer}")
    return answer.registers


def types(client, order, address):
    byte_order, word_order = ORDERS[order]
    decoder = BinaryPayloadDecoder.fromRegisters(holding(client, address, 20), byteorder=byte_order, wordorder=word_order)
    return {"int16": decoder.decode_16bit_int(), "uint16": decoder.decode_16bit_uint(),
            "int32": decoder.decode_32bit_int(), "uint32": decoder.decode_32bit_uint(),
            "int64": decoder.decode_64bit_int(), "uint64": decoder.decode_64bit_uint(),
            "float32": decoder.decode_32bit_float(), "float64": decoder.decode_64bit_float()}


def plant(client):
    registers = holding(client, 0, 40)
    decoder = BinaryPayloadDecoder.fromRegisters(registers, byteorder=Endian.Big, wordorder=Endian.Big)
    seen = {"speed": decoder.decode_16bit_uint(), "setpoint": decoder.decode_16bit_uint(),
            "bottles": decoder.decode_32bit_uint(), "rejects": decoder.decode_32bit_uint()}
    decoder.skip_bytes(8)
    seen["temperature"] = decoder.decode_32bit_float()
    seen["coils"] = client.read_coils(0, 9, slave=1).bits[:9]
    seen["inputs"] = client.read_discrete_inputs(0, 8, slave=1).bits[:8]
    seen["refusedAddress"] = client.read_holding_registers(40, 1, slave=1).exception_code
    seen["refusedUnit"] = client.read_holding_registers(0, 1, slave=9).exception_code
    seen["written"] = not client.write_register(1, 777, slave=1).isError()
    seen["setpointAfter"] = holding(client, 1, 1)[0]
    seen["refusedValue"] = client.write_register(1, 9999, slave=1).exception_code
    return seen


def main():
    client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]), timeout=5)
    if not client.connect():
        sys.exit("cannot connect")
    seen = plant(client) if sys.argv[2] == "plant" else types(client, sys.argv[3], int(sys.argv[4]))
    client.close()
    print("seen", json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
