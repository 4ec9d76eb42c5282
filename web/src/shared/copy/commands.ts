import { toYaml } from './yaml';

/** A request to the API, by its path below /api/v1. */
export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
}

/** What `tributary apply` takes. */
export interface HubDocument {
  connections?: object[];
  pipelines?: object[];
  maintenanceWindows?: object[];
  /** Comments at the top: what the document cannot say. */
  notes?: string[];
}

/** A word of a POSIX shell that stands for exactly this text. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The request as a curl command. The token stays in a variable: what is copied is pasted into tickets and chats. */
export function curlCommand({ method, path, body }: ApiRequest, origin: string): string {
  const words = ['curl --fail-with-body'];
  if (method !== 'GET') words.push(`--request ${method}`);
  words.push('--header "Authorization: Bearer $TRIBUTARY_TOKEN"');
  if (method === 'PATCH' || method === 'PUT') words.push(`--header ${quoted('If-Match: *')}`);
  if (body !== undefined) {
    words.push(`--header ${quoted('Content-Type: application/json')}`);
    words.push(`--data ${quoted(JSON.stringify(body))}`);
  }
  words.push(quoted(`${origin}/api/v1${path}`));
  return `${words.join(' \\\n  ')}\n`;
}

export function documentYaml({ notes = [], ...things }: HubDocument): string {
  return `${notes.map((note) => `# ${note.replaceAll(/\s+/g, ' ')}\n`).join('')}${toYaml(things)}`;
}

/** The command line that makes another hub (or this one) as the document says. It takes the token from TRIBUTARY_TOKEN. */
export function applyCommand(document: HubDocument, origin: string): string {
  const yaml = documentYaml(document);
  // The end mark must not be a line of the document.
  let mark = 'END';
  while (yaml.split('\n').includes(mark)) mark += '_';
  return `tributary apply - --url ${quoted(origin)} <<'${mark}'\n${yaml}${mark}\n`;
}
