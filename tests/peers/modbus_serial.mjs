// A Modbus TCP device by modbus-serial. Prints "port N" and serves until it is stopped.
// Unit 1 answers and no other: registers hold their own address (input registers with 10000 on top), coils are on where the
// address is divisible by three. Addresses from 1000 on are refused. It knows its name (function 43/14).
import { createServer } from 'node:net';
import ModbusRTU from 'modbus-serial';

const written = new Map();
const coils = new Map();
const refuse = (address) => {
  if (address >= 1000) throw Object.assign(new Error('no such address'), { modbusErrorCode: 2 });
};
const vector = {
  getHoldingRegister: (address) => (refuse(address), written.get(address) ?? address),
  getInputRegister: (address) => (refuse(address), address + 10000),
  getCoil: (address) => (refuse(address), coils.get(address) ?? address % 3 === 0),
  getDiscreteInput: (address) => (refuse(address), address % 3 === 0),
  setRegister: (address, value) => (refuse(address), written.set(address, value), undefined),
  setCoil: (address, value) => (refuse(address), coils.set(address, value), undefined),
  readDeviceIdentification: () => ({ 0x00: 'yaacov', 0x01: 'modbus-serial', 0x02: '8.0.25', 0x05: 'model 5' }),
};

// The server takes no port 0: another one finds out which is free.
const probe = createServer();
probe.listen(0, '127.0.0.1', () => {
  const { port } = probe.address();
  probe.close(() => {
    const server = new ModbusRTU.ServerTCP(vector, { host: '127.0.0.1', port, unitID: 1 });
    server.on('initialized', () => console.log(`port ${port}`));
    server.on('socketError', () => {});
  });
});
