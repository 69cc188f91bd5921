// HubSpot's Node client, driven line by line: a JSON request on standard input, a JSON answer on standard output.
//
// A request is {url, version, api, method, args}: `api` is a path such as crm.objects.batchApi, empty for the client
// itself. An answer is {status, headers, raw, understood}: the body as it came and as the client's models took it;
// or, where the client threw, {status, headers, raw, thrown}. The client speaks v3 and v4 only: for a dated version
// its paths are turned into that version's on the way out.

import { createInterface } from 'node:readline';
import { Client } from '@hubspot/api-client';

const AREAS = [
  [/\/crm\/v[34]\/objects/, '/crm/objects/'],
  [/\/crm\/v4\/associations/, '/crm/associations/'],
  [/\/crm\/associations\/v4/, '/crm/associations/'],
  [/\/crm\/v3\/properties/, '/crm/properties/'],
  [/\/crm\/v3\/property-validations/, '/crm/property-validations/'],
  [/\/crm-object-schemas\/v3/, '/crm-object-schemas/'],
  [/\/account-info\/v3/, '/account-info/'],
];

function inVersion(path, version) {
  if (version === 'v3') return path;
  for (const [before, after] of AREAS) {
    if (before.test(path)) return path.replace(before, after + version);
  }
  throw new Error(`${path} has no dated form here`);
}

// The middleware goes with each call: the client (13.5) takes none from its configuration.
function watched(version, seen) {
  return {
    middlewareMergeStrategy: 'append',
    middleware: [
      {
        pre: async (request) => {
          request.setUrl(inVersion(request.getUrl(), version));
          return request;
        },
        post: async (response) => {
          const text = await response.body.text();
          Object.assign(seen, { status: response.httpStatusCode, headers: response.headers, text });
          response.body = { text: async () => text, binary: async () => Buffer.from(text) };
          return response;
        },
      },
    ],
  };
}

async function answerTo({ url, version, api, method, args }) {
  const client = new Client({
    accessToken: 'pat-na1-test',
    basePath: url,
    limiterOptions: { minTime: 0, maxConcurrent: 1 },
  });
  if (!api) {
    const [options] = args;
    const response = await client[method]({ ...options, path: inVersion(options.path, version) });
    const text = await response.text();
    return { status: response.status, headers: Object.fromEntries(response.headers), ...bodies(text, JSON.parse(text)) };
  }
  const seen = {};
  const target = api.split('.').reduce((found, name) => found[name], client);
  const given = args.map((each) => each ?? undefined);
  given.length = Object.getPrototypeOf(target)[method].length - 1;
  try {
    const understood = await target[method](...given, watched(version, seen));
    return { status: seen.status, headers: seen.headers, ...bodies(seen.text, understood) };
  } catch (error) {
    if (!seen.status) throw error;
    return { status: error.code, headers: error.headers, ...bodies(seen.text, null), thrown: error.constructor.name };
  }
}

// What the models took, under HubSpot's own names: the client calls a field `_from` that is a word of the language.
function bodies(text, understood) {
  const told = JSON.stringify(understood ?? null).replaceAll('"_from":', '"from":');
  return { raw: text ? JSON.parse(text) : null, understood: JSON.parse(told) };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await answerTo(JSON.parse(line));
  } catch (error) {
    answer = { broken: String(error.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
