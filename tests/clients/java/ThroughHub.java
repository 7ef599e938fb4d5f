import io.grpc.Channel;
import irhub.adapter.v1.File;
import irhub.hub.v1.Conversion;
import irhub.hub.v1.ConversionSpec;
import irhub.hub.v1.CreateConversionRequest;
import irhub.hub.v1.HubServiceGrpc;
import irhub.hub.v1.OutputComparison;
import irhub.hub.v1.Stage;
import irhub.hub.v1.WatchConversionRequest;
import irhub.hub.v1.WatchConversionResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import java.util.UUID;

/** A conversion by the hub. */
final class ThroughHub {
  /** Uploads a model, has the hub convert it, follows the stages, and downloads the result. */
  static void convert(Channel channel, Path model, String target, Path folder) throws IOException {
    Blobs blobs = new Blobs(channel);
    HubServiceGrpc.HubServiceBlockingStub hub = HubServiceGrpc.newBlockingStub(channel);

    File file = blobs.upload(model);
    ConversionSpec spec = ConversionSpec.newBuilder().addFiles(file).setTarget(target).build();
    // The id makes it safe to ask again after a broken connection.
    CreateConversionRequest request =
        CreateConversionRequest.newBuilder()
            .setSpec(spec)
            .setRequestId(UUID.randomUUID().toString())
            .build();
    Conversion conversion = watch(hub, hub.createConversion(request).getName());
    if (conversion.getState() != Conversion.State.STATE_SUCCEEDED) {
      throw new IOException(
          conversion.getFailure().getReason() + ": " + conversion.getFailure().getMessage());
    }
    for (OutputComparison output : conversion.getComparison().getOutputsList()) {
      System.out.printf(
          "run %d, output %s %s: max error %.1e, allowed %.1e%n",
          output.getRun(),
          output.getOutput(),
          output.getShapeList(),
          output.getMaxError(),
          output.getTolerance());
    }
    blobs.download(conversion.getFilesList(), folder);
  }

  /** Prints each stage as it ends, and returns the conversion when it has ended. */
  private static Conversion watch(HubServiceGrpc.HubServiceBlockingStub hub, String name) {
    Iterator<WatchConversionResponse> responses =
        hub.watchConversion(WatchConversionRequest.newBuilder().setName(name).build());
    Set<String> done = new HashSet<>();
    Conversion conversion = Conversion.getDefaultInstance();
    while (responses.hasNext()) {
      conversion = responses.next().getConversion();
      for (Stage stage : conversion.getStagesList()) {
        if (stage.getState() == Stage.State.STATE_DONE && done.add(stage.getName())) {
          System.out.printf("%s: %.2f s%n", stage.getName(), stage.getSeconds());
        }
      }
    }
    return conversion;
  }

  private ThroughHub() {}
}
