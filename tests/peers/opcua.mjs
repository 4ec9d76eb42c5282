// node-opcua as an OPC UA server on a loopback port: signed and encrypted, users, variables, a method. Prints "port N" and serves until
// it is stopped.
//   opcua.mjs FOLDER [PORT] [OPTION…]
// FOLDER keeps its certificates (own/certs/…): a server that is started again with it is the same one. Options:
//   history=COUNT       "recorded" has so many recorded values, one a second from 2026-11-26T10:00:00Z on: 0, 1, 2 …
//   user=NAME:PASSWORD  only this user may log in    late=SECONDS  its nodes appear so much later, behind another namespace
import { createServer } from 'node:net';
import path from 'node:path';
import { addAggregateSupport, DataType, MessageSecurityMode, nodesets, OPCUACertificateManager, OPCUAServer, SecurityPolicy, StatusCodes, UserTokenType, Variant, VariantArrayType } from 'node-opcua';

const [folder, wantedPort, ...rest] = process.argv.slice(2);
const options = Object.fromEntries(rest.map((each) => each.split(/=(.*)/s).slice(0, 2)));

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
const port = Number(wantedPort) || (await freePort());

const serverCertificateManager = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
await serverCertificateManager.initialize();
const [user, password] = (options.user ?? '').split(':');
const server = new OPCUAServer({
  hostname: '127.0.0.1',
  port,
  serverCertificateManager,
  userCertificateManager: serverCertificateManager,
  nodeset_filename: [nodesets.standard, path.join(import.meta.dirname, 'opcua_types.NodeSet2.xml')],
  serverInfo: { applicationUri: 'urn:tributary:peer:node-opcua' },
  buildInfo: { manufacturerName: 'Sterfive', productName: 'node-opcua peer' },
  securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
  securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes128_Sha256_RsaOaep, SecurityPolicy.Aes256_Sha256_RsaPss],
  allowAnonymous: user === '',
  userManager: { isValidUser: (name, secret) => name === user && secret === password },
  isAuditing: false,
  disableDiscovery: true,
  serverCapabilities: { maxSessions: 50, operationLimits: { maxNodesPerRead: 100, maxNodesPerWrite: 100, maxNodesPerBrowse: 10, maxMonitoredItemsPerCall: 50 } },
});
await server.initialize();

const values = { speed: 1500, temperature: 21.5, total: [0, 7], product: 'Limonade', running: true, levels: [1.5, 2.5, 3.5] };
let counter = 0;

// A tank with a level alarm, and events of a type of its own: raise(count, severity).
function addAlarms(own) {
  const space = server.engine.addressSpace;
  space.installAlarmsAndConditionsService();
  const tank = own.addObject({ organizedBy: space.rootFolder.objects, eventSourceOf: space.rootFolder.objects.server, browseName: 'Tank', nodeId: 's=tank' });
  const level = own.addVariable({ componentOf: tank, nodeId: 's=level', browseName: 'level', dataType: 'Double', value: { dataType: DataType.Double, value: 50 } });
  const alarm = own.instantiateExclusiveLimitAlarm('ExclusiveLevelAlarmType', {
    browseName: 'LevelAlarm',
    nodeId: 's=levelAlarm',
    componentOf: tank,
    conditionSource: tank,
    conditionName: 'Level',
    inputNode: level,
    optionals: ['ConfirmedState', 'Confirm', 'ShelvingState', 'SuppressedState', 'Suppress', 'Unsuppress'],
    maxTimeShelved: 60_000,
    lowLowLimit: 5,
    lowLimit: 20,
    highLimit: 80,
    highHighLimit: 95,
  });
  for (const [name, suppressed] of [['Suppress', true], ['Unsuppress', false]])
    alarm.getMethodByName(name).bindMethod((_inputs, _context, done) => {
      alarm.suppressedState.setValue(suppressed);
      done(null, { statusCode: StatusCodes.Good });
    });
  const batchEvent = own.addEventType({ browseName: 'BatchEventType', nodeId: 's=batchEvent', subtypeOf: 'BaseEventType' });
  own.addVariable({ propertyOf: batchEvent, browseName: 'Batch', dataType: 'String', modellingRule: 'Mandatory' });
  const raise = own.addMethod(tank, {
    nodeId: 's=raise',
    browseName: 'raise',
    inputArguments: [
      { name: 'count', dataType: DataType.UInt32 },
      { name: 'severity', dataType: DataType.UInt16 },
    ],
    outputArguments: [],
  });
  raise.bindMethod(([count, severity], _context, done) => {
    for (let i = 0; i < count.value; ++i)
      tank.raiseEvent(batchEvent, {
        message: { dataType: DataType.LocalizedText, value: { text: `batch ${i}` } },
        severity: { dataType: DataType.UInt16, value: severity.value },
        batch: { dataType: DataType.String, value: `B${i}` },
      });
    done(null, { statusCode: StatusCodes.Good, outputArguments: [] });
  });
}

// Values of the types in opcua_types.NodeSet2.xml.
function addStructures(own, plant) {
  const space = server.engine.addressSpace;
  const types = space.getNamespace('http://tributary.example/types');
  const make = (type, fields) => space.constructExtensionObject(types.findDataType(type), fields);
  const at = (x, y) => make('Point', { x, y });
  const motor = (fields) => make('Motor', { name: 'M1', mode: 5, position: at(1, 2), path: [at(0, 0), at(3, 4)], ...fields });
  const station = make('Station', {
    motor: motor({ remark: { text: 'neu', locale: 'de' } }),
    measure: make('Measure', { point: at(5, 6) }),
    data: Buffer.from([1, 2, 255]),
    since: new Date('2026-11-22T10:00:00.123Z'),
  });
  const objects = {
    motor: ['Motor', motor({ limits: [0.5, 1.5] })],
    station: ['Station', station],
    measure: ['Measure', make('Measure', { text: 'dry' })],
    point3: ['Point3', make('Point3', { x: 1, y: 2, z: 3 })],
  };
  for (const [name, [type, value]] of Object.entries(objects))
    own.addVariable({ componentOf: plant, nodeId: `s=${name}`, browseName: name, dataType: types.findDataType(type).nodeId, value: { dataType: DataType.ExtensionObject, value } });
  own.addVariable({
    componentOf: plant,
    nodeId: 's=points',
    browseName: 'points',
    dataType: types.findDataType('Point').nodeId,
    valueRank: 1,
    value: { dataType: DataType.ExtensionObject, arrayType: VariantArrayType.Array, value: [at(1, 1), at(2, 2)] },
  });
  own.addVariable({ componentOf: plant, nodeId: 's=mode', browseName: 'mode', dataType: types.findDataType('Mode').nodeId, value: { dataType: DataType.Int32, value: 5 } });
}

function addHistory(own, plant, count) {
  const space = server.engine.addressSpace;
  addAggregateSupport(space);
  const recorded = own.addVariable({ componentOf: plant, nodeId: 's=recorded', browseName: 'recorded', dataType: 'Double' });
  space.installHistoricalDataNode(recorded, { maxOnlineValues: count });
  const begin = Date.parse('2026-11-26T10:00:00Z');
  for (let i = 0; i < count; ++i) recorded.setValueFromSource({ dataType: DataType.Double, value: i }, StatusCodes.Good, new Date(begin + 1000 * i));
}

function addNodes() {
  const space = server.engine.addressSpace;
  const own = space.registerNamespace('http://tributary.example/peer');
  const plant = own.addObject({ organizedBy: space.rootFolder.objects, browseName: 'Plant', nodeId: 's=plant' });
  const variable = (name, dataType) =>
    own.addVariable({
      componentOf: plant,
      nodeId: `s=${name}`,
      browseName: name,
      dataType,
      minimumSamplingInterval: 10,
      value: {
        get: () => new Variant({ dataType: DataType[dataType], arrayType: VariantArrayType.Scalar, value: values[name] }),
        set: (variant) => {
          values[name] = variant.value;
          return StatusCodes.Good;
        },
      },
    });
  variable('speed', 'Int32');
  variable('temperature', 'Double');
  variable('total', 'UInt64');
  variable('product', 'String');
  variable('running', 'Boolean');
  own.addAnalogDataItem({
    componentOf: plant,
    nodeId: 's=fill',
    browseName: 'fill',
    dataType: 'Double',
    engineeringUnitsRange: { low: -100, high: 100 },
    minimumSamplingInterval: 10,
    value: { dataType: DataType.Double, value: 0 },
  });
  own.addVariable({
    componentOf: plant,
    nodeId: 's=levels',
    browseName: 'levels',
    dataType: 'Double',
    valueRank: 1,
    arrayDimensions: [0],
    value: { get: () => new Variant({ dataType: DataType.Double, arrayType: VariantArrayType.Array, value: Float64Array.from(values.levels) }) },
  });
  const ticks = own.addVariable({ componentOf: plant, nodeId: 's=ticks', browseName: 'ticks', dataType: 'UInt32', minimumSamplingInterval: 0 });
  const tick = () => ticks.setValueFromSource(new Variant({ dataType: DataType.UInt32, value: counter++ }));
  tick();
  setInterval(tick, 250);
  const text = (name, dataType) => ({ name, description: { text: name }, dataType });
  const divide = own.addMethod(plant, {
    nodeId: 's=divide',
    browseName: 'divide',
    inputArguments: [text('dividend', DataType.Double), text('divisor', DataType.UInt16)],
    outputArguments: [text('quotient', DataType.Double), text('remark', DataType.String)],
  });
  divide.bindMethod((inputs, _context, done) => {
    const [dividend, divisor] = inputs.map((each) => each.value);
    if (divisor === 0) return done(null, { statusCode: StatusCodes.BadInvalidArgument, inputArgumentResults: [StatusCodes.Good, StatusCodes.BadOutOfRange] });
    done(null, {
      statusCode: StatusCodes.Good,
      outputArguments: [
        { dataType: DataType.Double, value: dividend / divisor },
        { dataType: DataType.String, value: 'done' },
      ],
    });
  });
  addStructures(own, plant);
  if (options.history) addHistory(own, plant, Number(options.history));
  addAlarms(own);
  const many = own.addFolder(space.rootFolder.objects, { browseName: 'Many', nodeId: 's=many' });
  for (let i = 0; i < 1200; ++i) own.addVariable({ organizedBy: many, nodeId: `s=many${i}`, browseName: `many${i}`, dataType: 'Int32', value: { dataType: 'Int32', value: i } });
}

if (options.late) {
  server.engine.addressSpace.registerNamespace('http://tributary.example/another');
  setTimeout(addNodes, Number(options.late) * 1000);
} else {
  addNodes();
}
server.on('create_session', () => console.log('session created'));
await server.start();
console.log(`certificate ${path.resolve(server.certificateFile)}`);
console.log(`port ${port}`);
