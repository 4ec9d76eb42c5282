// node-opcua as an OPC UA client: signed and encrypted, anonymous. Prints what it got, and ends.
//   opcua_client.mjs FOLDER URL history NODE FROM TO INTERVAL_MS TIME…
//   opcua_client.mjs FOLDER URL alarms NAME
// FOLDER keeps its certificates. Of a history, "raw", "newest", "averages" and "atTime" are lists of [time, value, status]; "pages" is how many
// answers the first one took. Of an alarm, it asks for the conditions, acknowledges and confirms this one, which is active, and waits until it
// is over: "state" is each event, "acknowledged", "confirmed", "again" and "foreign" (a subscription of nobody) are what the server answered.
import { AggregateFunction, AttributeIds, ClientMonitoredItem, ClientSubscription, DataType, EventFilter, HistoryReadRequest, MessageSecurityMode, OPCUACertificateManager, OPCUAClient, ReadAtTimeDetails, ReadRawModifiedDetails, resolveNodeId, SecurityPolicy, SimpleAttributeOperand, TimestampsToReturn, Variant } from 'node-opcua';

const [folder, url, task, ...rest] = process.argv.slice(2);
const clientCertificateManager = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
await clientCertificateManager.initialize();
const client = OPCUAClient.create({
  applicationName: 'peer',
  clientCertificateManager,
  securityMode: MessageSecurityMode.SignAndEncrypt,
  securityPolicy: SecurityPolicy.Basic256Sha256,
  endpointMustExist: false,
  connectionStrategy: { maxRetry: 3, initialDelay: 100 },
});
const shown = (values) => JSON.stringify((values ?? []).map((each) => [each.sourceTimestamp.toISOString(), each.value?.value ?? null, each.statusCode.name]));

async function ask(session, nodeId, historyReadDetails, continuationPoint) {
  const response = await session.historyRead(new HistoryReadRequest({ historyReadDetails, nodesToRead: [{ nodeId, continuationPoint }], timestampsToReturn: TimestampsToReturn.Both }));
  return response.results[0];
}

async function history(session, [nodeId, from, to, interval, ...times]) {
  const [startTime, endTime] = [new Date(from), new Date(to)];
  const raw = [];
  let pages = 0;
  let continuationPoint;
  do {
    const page = await ask(session, nodeId, new ReadRawModifiedDetails({ startTime, endTime, returnBounds: false }), continuationPoint);
    raw.push(...(page.historyData.dataValues ?? []));
    continuationPoint = page.continuationPoint;
    ++pages;
  } while (continuationPoint?.length > 0);
  console.log(`pages ${pages}`);
  console.log(`raw ${shown(raw)}`);
  const newest = await ask(session, nodeId, new ReadRawModifiedDetails({ startTime: endTime, endTime: startTime, numValuesPerNode: 3, returnBounds: true }));
  console.log(`newest ${shown(newest.historyData.dataValues)}`);
  const averages = await session.readAggregateValue({ nodeId }, startTime, endTime, AggregateFunction.Average, Number(interval));
  console.log(`averages ${shown(averages.historyData.dataValues)}`);
  const atTime = await ask(session, nodeId, new ReadAtTimeDetails({ reqTimes: times.map((each) => new Date(each)), useSimpleBounds: true }));
  console.log(`atTime ${shown(atTime.historyData.dataValues)}`);
}

const REFRESH_START = 'ns=0;i=2787';
const REFRESH_END = 'ns=0;i=2788';
const fields = ['EventId', 'EventType', 'ConditionName', 'ActiveState/Id', 'AckedState/Id', 'ConfirmedState/Id', 'Retain', 'Comment'];
const clause = (typeDefinitionId, path, attributeId) =>
  new SimpleAttributeOperand({ typeDefinitionId, browsePath: path.map((name) => ({ namespaceIndex: 0, name })), attributeId });

async function alarms(session, [name]) {
  const subscription = ClientSubscription.create(session, { requestedPublishingInterval: 50, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 20, publishingEnabled: true });
  await new Promise((resolve) => subscription.once('started', resolve));
  const filter = new EventFilter({
    selectClauses: [...fields.map((each) => clause('i=2041', each.split('/'), AttributeIds.Value)), clause('i=2881', [], AttributeIds.NodeId)],
  });
  const item = ClientMonitoredItem.create(subscription, { nodeId: 'i=2253', attributeId: AttributeIds.EventNotifier }, { filter, queueSize: 100, discardOldest: true }, TimestampsToReturn.Neither);
  await new Promise((resolve) => item.once('initialized', resolve));
  const waiting = [];
  const unread = [];
  item.on('changed', (values) => {
    const [eventId, type, condition, active, acknowledged, confirmed, retain, comment, conditionId] = values.map((each) => each.value);
    const kind = { [REFRESH_START]: 'refreshStart', [REFRESH_END]: 'refreshEnd' }[type.toString()] ?? condition;
    const event = { kind, active, acknowledged, confirmed, retain, comment: comment?.text ?? '', conditionId: kind === condition ? conditionId.toString() : '', eventId };
    console.log(`state ${JSON.stringify({ ...event, eventId: undefined })}`);
    unread.push(event);
    waiting.shift()?.();
  });
  const next = async (wanted) => {
    for (;;) {
      while (unread.length > 0) {
        const event = unread.shift();
        if (wanted(event)) return event;
      }
      await new Promise((resolve) => waiting.push(resolve));
    }
  };
  const refresh = async (id) =>
    (await session.call({ objectId: 'i=2782', methodId: 'i=3875', inputArguments: [new Variant({ dataType: DataType.UInt32, value: id })] })).statusCode.name;
  console.log(`foreign ${await refresh(987654)}`);
  console.log(`refreshed ${await refresh(subscription.subscriptionId)}`);
  const raised = await next((event) => event.kind === name && event.active);
  await next((event) => event.kind === 'refreshEnd');
  const condition = resolveNodeId(raised.conditionId);
  console.log(`acknowledged ${(await session.acknowledgeCondition(condition, raised.eventId, 'seen')).name}`);
  const seen = await next((event) => event.kind === name && event.acknowledged);
  console.log(`again ${(await session.acknowledgeCondition(condition, seen.eventId, '')).name}`);
  console.log(`confirmed ${(await session.confirmCondition(condition, seen.eventId, 'repaired')).name}`);
  await next((event) => event.kind === name && event.confirmed);
  console.log('answered');
  await next((event) => event.kind === name && !event.active);
}

await client.withSessionAsync(url, (session) => ({ history, alarms })[task](session, rest));
process.exit(0);
