// node-opcua as an OPC UA client: signed and encrypted, anonymous. Prints what it got, and ends.
//   opcua_client.mjs FOLDER URL history NODE FROM TO INTERVAL_MS TIME…
// FOLDER keeps its certificates. "raw", "newest", "averages" and "atTime" are lists of [time, value, status]; "pages" is how many answers
// the first one took.
import { AggregateFunction, HistoryReadRequest, MessageSecurityMode, OPCUACertificateManager, OPCUAClient, ReadAtTimeDetails, ReadRawModifiedDetails, SecurityPolicy, TimestampsToReturn } from 'node-opcua';

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

await client.withSessionAsync(url, (session) => ({ history })[task](session, rest));
process.exit(0);
