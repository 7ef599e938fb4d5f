import { randomUUID } from "node:crypto";
import type { ChannelCredentials } from "@grpc/grpc-js";

import { answered, Blobs } from "./blobs.js";
import {
  Conversion,
  Conversion_State,
  ConversionSpec,
  HubServiceClient,
  Stage_State,
  type WatchConversionResponse,
} from "./generated/irhub/hub/v1/hub.js";

/** Uploads a model, has the hub convert it, follows the stages, and downloads the result. */
export async function convertThroughHub(
  address: string,
  access: ChannelCredentials,
  model: string,
  target: string,
  folder: string,
) {
  const hub = new HubServiceClient(address, access);
  const blobs = new Blobs(address, access);
  try {
    const spec = ConversionSpec.create({ files: [await blobs.upload(model)], target });
    // The id makes it safe to ask again after a broken connection.
    const request = { spec, requestId: randomUUID() };
    const created = await answered<Conversion>((done) => hub.createConversion(request, done));
    const conversion = await watch(hub, created.name);
    if (conversion.state !== Conversion_State.STATE_SUCCEEDED) {
      throw new Error(`${conversion.failure?.reason}: ${conversion.failure?.message}`);
    }
    for (const { run, output, shape, maxError, tolerance } of conversion.comparison?.outputs ?? []) {
      const found = `max error ${maxError.toExponential(1)}, allowed ${tolerance.toExponential(1)}`;
      console.log(`run ${run}, output ${output} [${shape}]: ${found}`);
    }
    await blobs.download(conversion.files, folder);
  } finally {
    blobs.close();
    hub.close();
  }
}

/** Prints each stage as it ends, and returns the conversion when it has ended. */
async function watch(hub: HubServiceClient, name: string): Promise<Conversion> {
  const done = new Set<string>();
  let conversion = Conversion.create();
  const responses: AsyncIterable<WatchConversionResponse> = hub.watchConversion({ name });
  for await (const response of responses) {
    conversion = response.conversion ?? conversion;
    for (const stage of conversion.stages) {
      if (stage.state === Stage_State.STATE_DONE && !done.has(stage.name)) {
        done.add(stage.name);
        console.log(`${stage.name}: ${stage.seconds.toFixed(2)} s`);
      }
    }
  }
  return conversion;
}
