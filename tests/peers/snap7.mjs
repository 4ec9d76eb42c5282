// node-snap7 as an S7 server or client. It is native, and built by scripts/setup where Node's headers are; elsewhere this prints
// "not built" and why.
//   snap7.mjs server        prints "port N" and serves: word n of DB1 holds n
//   snap7.mjs client PORT   reads and writes DB1 there and prints "seen JSON"
import { createServer } from 'node:net';
import { createRequire } from 'node:module';

let snap7;
try {
  snap7 = createRequire(import.meta.url)('node-snap7');
} catch (error) {
  console.log(`not built: ${error.message.split('\n')[0]}`);
  process.exit(0);
}
const [role, port] = process.argv.slice(2);
if (role === 'client') {
  const client = new snap7.S7Client();
  client.SetParam(client.RemotePort, Number(port));
  if (!client.ConnectTo('127.0.0.1', 0, 1)) throw new Error(client.ErrorText(client.LastError()));
  const first = client.DBRead(1, 0, 2);
  const wrote = client.DBWrite(1, 2, 2, Buffer.from([0x03, 0x09]));
  const back = client.DBRead(1, 2, 2);
  const missing = client.DBRead(9, 0, 2);
  console.log(`seen ${JSON.stringify({ first: first.readUInt16BE(), wrote, back: back.readUInt16BE(), missing })}`);
  client.Disconnect();
  process.exit(0);
}
// Native memory that nobody refers to would be collected while the server uses it.
const server = new snap7.S7Server();
const db1 = Buffer.alloc(1024);
for (let word = 0; word < 512; ++word) db1.writeUInt16BE(word, word * 2);
const probe = createServer();
probe.listen(0, '127.0.0.1', () => {
  const free = probe.address().port;
  probe.close(() => {
    server.SetParam(server.LocalPort, free);
    server.RegisterArea(server.srvAreaDB, 1, db1);
    server.StartTo('127.0.0.1');
    console.log(`port ${free}`);
    setInterval(() => server.ServerStatus() && db1.length, 1000);
  });
});
