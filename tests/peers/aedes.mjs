// aedes as an MQTT broker on a loopback port. Prints "port N" and serves until it is stopped.
//   aedes.mjs [USER PASSWORD]   with these, only this login is taken, and it may not publish below office/
import { createServer } from 'node:net';
import { Aedes } from 'aedes';

const [user, password] = process.argv.slice(2);
const broker = await Aedes.createBroker();
if (user !== undefined) {
  broker.authenticate = (_client, name, secret, done) => {
    if (name === user && secret?.toString() === password) return done(null, true);
    done(Object.assign(new Error('bad user name or password'), { returnCode: 4 }), false);
  };
  broker.authorizePublish = (_client, packet, done) => done(packet.topic.startsWith('office/') ? new Error('forbidden') : null);
}
const server = createServer(broker.handle);
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
