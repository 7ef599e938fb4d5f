import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ChannelCredentials, ClientWritableStream } from "@grpc/grpc-js";

import type { File } from "./generated/irhub/adapter/v1/adapter.js";
import {
  type Blob,
  BlobServiceClient,
  type FindMissingBlobsResponse,
  type ReadBlobResponse,
  WriteBlobRequest,
  type WriteBlobResponse,
} from "./generated/irhub/blob/v1/blob.js";

const CHUNK_BYTES = 1 << 20;

/** A promise for the answer of a call that takes a callback. */
export function answered<T>(call: (done: (error: Error | null, answer: T) => void) => void) {
  return new Promise<T>((resolve, reject) => {
    call((error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

/** The blobs of a hub or of an adapter. */
export class Blobs {
  readonly #client: BlobServiceClient;

  constructor(address: string, access: ChannelCredentials) {
    this.#client = new BlobServiceClient(address, access);
  }

  close() {
    this.#client.close();
  }

  /** Sends a file, unless the service has its content already. */
  async upload(path: string): Promise<File> {
    const sha256 = createHash("sha256");
    await pipeline(createReadStream(path), sha256);
    const blob = { digest: sha256.digest("hex"), sizeBytes: (await stat(path)).size };
    await this.#write(blob, createReadStream(path, { highWaterMark: CHUNK_BYTES }));
    return { name: basename(path), blob };
  }

  /** Sends bytes, unless the service has them already. */
  async put(content: Buffer): Promise<Blob> {
    const digest = createHash("sha256").update(content).digest("hex");
    const blob = { digest, sizeBytes: content.length };
    const chunks: Buffer[] = [];
    for (let start = 0; start < content.length; start += CHUNK_BYTES) {
      chunks.push(content.subarray(start, start + CHUNK_BYTES));
    }
    await this.#write(blob, Readable.from(chunks));
    return blob;
  }

  /** A blob's content, compared with its digest. */
  async read(blob: Blob): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const responses = this.#client.readBlob({ blob, readOffset: 0, readLimit: 0 });
    for await (const response of responses as AsyncIterable<ReadBlobResponse>) {
      chunks.push(response.data);
    }
    const content = Buffer.concat(chunks);
    if (createHash("sha256").update(content).digest("hex") !== blob.digest) {
      throw new Error(`what came isn't the blob ${blob.digest}`);
    }
    return content;
  }

  /** Writes files into a folder. */
  async download(files: File[], folder: string) {
    for (const { name, blob } of files) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      const content = await this.read(present(blob));
      await writeFile(path, content);
      console.log(`wrote ${name}, ${content.length} bytes`);
    }
  }

  async #write(blob: Blob, content: AsyncIterable<Buffer>) {
    const found = await answered<FindMissingBlobsResponse>((done) =>
      this.#client.findMissingBlobs({ blobs: [blob] }, done),
    );
    if (found.missingBlobs.length === 0) {
      return;
    }
    const written = await answered<WriteBlobResponse>((done) => {
      const stream = this.#client.writeBlob(done);
      send(messages(blob, content), stream).catch(() => stream.cancel());
    });
    if (!written.complete) {
      throw new Error(`${blob.digest} broke off after ${written.committedSizeBytes} bytes`);
    }
  }
}

/** Messages of an upload: the first one names the blob, all carry data. */
async function* messages(blob: Blob, content: AsyncIterable<Buffer>) {
  yield WriteBlobRequest.create({ blob, uploadId: randomUUID() });
  for await (const data of content) {
    yield WriteBlobRequest.create({ data });
  }
}

/** Writes messages as fast as the service takes them. */
async function send<T>(requests: AsyncIterable<T>, stream: ClientWritableStream<T>) {
  for await (const request of requests) {
    if (!stream.write(request)) {
      await once(stream, "drain");
    }
  }
  stream.end();
}

/** A field that the contract promises. */
export function present<T>(field: T | undefined): T {
  if (field === undefined) {
    throw new Error("the service left out a field that the contract promises");
  }
  return field;
}
