// A complete client of irhub in TypeScript, in two parts: through the hub, and straight to the
// adapters.

import { readFileSync } from "node:fs";
import { type ChannelCredentials, credentials, Metadata } from "@grpc/grpc-js";

import { convertStraight } from "./adapters.js";
import { convertThroughHub } from "./hub.js";

const USAGE = `usage:
  client.js hub HUB MODEL TARGET FOLDER
      convert MODEL with the hub at HUB, and write what comes out into FOLDER
  client.js adapters SOURCE_ADAPTER TARGET_ADAPTER MODEL
      do the same with two adapters and no hub, and compare the outputs
Set IRHUB_CA to a file of certificates to connect with TLS, IRHUB_TOKEN to a hub's token.`;

/** TLS where IRHUB_CA says whom to trust, else none. */
function credentialsOf(environment: NodeJS.ProcessEnv): ChannelCredentials {
  const { IRHUB_CA: authorities, IRHUB_TOKEN: token } = environment;
  if (!authorities) {
    return credentials.createInsecure();
  }
  const tls = credentials.createSsl(readFileSync(authorities));
  if (!token) {
    return tls;
  }
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  const bearer = credentials.createFromMetadataGenerator((_, done) => done(null, metadata));
  return credentials.combineChannelCredentials(tls, bearer);
}

const [part, ...rest] = process.argv.slice(2);
const [first, second, third, fourth] = rest;
try {
  const access = credentialsOf(process.env);
  if (part === "hub" && first && second && third && fourth) {
    await convertThroughHub(first, access, second, third, fourth);
  } else if (part === "adapters" && first && second && third) {
    await convertStraight(first, second, access, third);
  } else {
    throw new Error(USAGE);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
