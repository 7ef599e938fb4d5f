import type { ChannelCredentials } from "@grpc/grpc-js";

import { Blobs, present } from "./blobs.js";
import {
  AdapterServiceClient,
  EmitRequest,
  type EmitResponse,
  type EmitResult,
  type File,
  ParseRequest,
  type ParseResponse,
  type Progress,
  RunRequest,
  type RunResponse,
} from "./generated/irhub/adapter/v1/adapter.js";
import type { Blob } from "./generated/irhub/blob/v1/blob.js";
import { DataType, Model, Tensor, TensorType, Value } from "./generated/irhub/ir/v1/ir.js";

const TOLERANCE = 5e-5; // of the greatest output: what float32 models may differ by

/** Parses a model with one adapter, emits it with another, runs both, and compares. */
export async function convertStraight(
  sourceAddress: string,
  targetAddress: string,
  access: ChannelCredentials,
  path: string,
) {
  const source = new Adapter(sourceAddress, access);
  const target = new Adapter(targetAddress, access);
  try {
    const file = await source.blobs.upload(path);
    const parsed = await source.parse(file);
    const model = Model.decode(await source.blobs.read(parsed));
    for (const node of present(model.graph).nodes) {
      console.log(`${node.op.padEnd(20)} ${node.name}`);
    }
    for (const needed of [parsed, ...weightBlobs(model)]) {
      await target.blobs.put(await source.blobs.read(needed));
    }
    const emitted = await target.emit(parsed);
    for (const written of emitted.files) {
      console.log(`emitted ${written.name}, ${written.blob?.sizeBytes} bytes`);
    }
    const input = withKnownSizes(present(model.graph?.inputs[0]));
    compare(await source.run([file], input), await target.run(emitted.files, input));
  } finally {
    source.close();
    target.close();
  }
}

/** One framework's service, with its blobs. */
class Adapter {
  readonly blobs: Blobs;
  readonly #client: AdapterServiceClient;

  constructor(address: string, access: ChannelCredentials) {
    this.blobs = new Blobs(address, access);
    this.#client = new AdapterServiceClient(address, access);
  }

  close() {
    this.blobs.close();
    this.#client.close();
  }

  async parse(file: File): Promise<Blob> {
    const request = ParseRequest.create({ files: [file] });
    const responses: AsyncIterable<ParseResponse> = this.#client.parse(request);
    return present((await resultOf(responses)).model);
  }

  async emit(model: Blob): Promise<EmitResult> {
    const responses: AsyncIterable<EmitResponse> = this.#client.emit(EmitRequest.create({ model }));
    return await resultOf(responses);
  }

  /** The first output of a model for one made-up input. */
  async run(files: File[], input: Value): Promise<Float32Array> {
    const blob = await this.blobs.put(elementsFor(input));
    const inputs = [{ ...input, data: Tensor.create({ blob }) }];
    const responses: AsyncIterable<RunResponse> = this.#client.run(
      RunRequest.create({ files, inputs }),
    );
    const { blob: output, offset } = present((await resultOf(responses)).outputs[0]?.data);
    // Copied, because elements have to lie at a multiple of their size.
    const content = Uint8Array.from((await this.blobs.read(present(output))).subarray(offset));
    return new Float32Array(content.buffer);
  }
}

type Event<T> = { $case: "progress"; value: Progress } | { $case: "result"; value: T };

/** The result of a stream: it has any number of progress events, and one result. */
async function resultOf<T>(responses: AsyncIterable<{ event?: Event<T> }>): Promise<T> {
  for await (const { event } of responses) {
    if (event?.$case === "result") {
      return event.value;
    }
  }
  throw new Error("the stream ended without a result");
}

/** The blobs that a model's weights lie in, each once. */
function weightBlobs(model: Model): Blob[] {
  const found = new Map<string, Blob>();
  for (const weight of present(model.graph).weights) {
    const blob = present(weight.data?.blob);
    found.set(blob.digest, blob);
  }
  return [...found.values()];
}

/** The input with 2 wherever its size is open. */
function withKnownSizes(input: Value): Value {
  const type = present(input.type);
  if (type.dataType !== DataType.DATA_TYPE_FLOAT32) {
    throw new Error("this client makes up float32 inputs only");
  }
  const shape = type.shape.map(({ kind }) => ({
    kind: { $case: "size" as const, value: kind?.$case === "size" ? kind.value : 2 },
  }));
  const known = TensorType.create({ dataType: type.dataType, shape });
  return Value.create({ name: input.name, type: known });
}

function elementsFor(input: Value): Buffer {
  const sizes = present(input.type).shape.map(({ kind }) => Number(kind?.value));
  const count = sizes.reduce((product, size) => product * size, 1);
  return Buffer.from(Float32Array.from({ length: count }, (_, i) => Math.sin(i)).buffer);
}

function compare(expected: Float32Array, found: Float32Array) {
  if (expected.length !== found.length) {
    throw new Error(`the source gives ${expected.length} elements, the target ${found.length}`);
  }
  let scale = 0;
  let difference = 0;
  for (const [i, element] of expected.entries()) {
    scale = Math.max(scale, Math.abs(element));
    difference = Math.max(difference, Math.abs(element - (found[i] ?? NaN)));
  }
  const error = (difference / scale).toExponential(1);
  console.log(`${expected.length} elements, max error ${error}`);
  // Written so that NaN, which compares with nothing, fails too.
  if (!(difference <= TOLERANCE * scale)) {
    throw new Error("the target computes something else");
  }
}
